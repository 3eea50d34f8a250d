// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/dns_router.h"

#include "core/util/files.h"
#include "core/util/process.h"
#include "core/util/redact.h"
#include "core/util/text.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tealdeck {
namespace {

/// As a line of nsupdate has it: names end with a dot, or they would be taken as relative.
std::string recordData(DnsType type, const std::string& value) {
    return type == DnsType::Cname ? value + "." : value;
}

} // namespace

std::string DnsRouter::what() const {
    return fmt::format("the DNS record {} at {}:{}", m_instance.record, m_instance.server, m_instance.port);
}

std::vector<std::string> DnsRouter::servers() const {
    std::vector<std::string> all = {m_instance.server};
    all.insert(all.end(), m_instance.secondaries.begin(), m_instance.secondaries.end());
    return all;
}

Result<DnsAnswer> DnsRouter::ask(const std::string& server, Millis limit) const {
    Result<DnsAnswer> answer = askDns(server, m_instance.port, m_instance.record, m_type, limit);
    if (!answer) {
        Error error = answer.error();
        error.message = fmt::format("{}: {}", m_instance.name, error.message);
        return error;
    }
    if (!answer->authoritative) {
        return Error{
            Error::Kind::Conflict,
            fmt::format("{}: {} is not responsible for {}, so its answer is only a copy.", m_instance.name, server, m_instance.zone),
            "Name the zone's own servers in the plan.",
            {}};
    }
    return answer;
}

Result<std::optional<Side>> DnsRouter::target(Millis limit) {
    const Result<DnsAnswer> now = ask(m_instance.server, limit);
    if (!now) {
        return now.error();
    }
    if (now->values == std::vector<std::string>{m_instance.blue}) {
        return std::optional<Side>(Side::Blue);
    }
    if (now->values == std::vector<std::string>{m_instance.green}) {
        return std::optional<Side>(Side::Green);
    }
    return Error{Error::Kind::Conflict,
                 now->values.empty() ? fmt::format("{}: there is no {} record {}.", m_instance.name, dnsTypeName(m_type), m_instance.record)
                                     : fmt::format("{}: {} stands for {}, which is not one primary of the plan.", m_instance.name,
                                                   m_instance.record, fmt::join(now->values, ", ")),
                 "Correct the record, or blue and green in the plan.",
                 {}};
}

std::vector<std::string> DnsRouter::obstacles(Millis limit) {
    std::vector<std::string> found;
    struct stat key {};
    if (::stat(m_instance.keyFile.c_str(), &key) != 0 || ::access(m_instance.keyFile.c_str(), R_OK) != 0) {
        found.push_back(fmt::format("the key file {} can't be read: {}", m_instance.keyFile, systemReason(errno)));
    } else if ((key.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        found.push_back(fmt::format("the key file {} is open to others; run: chmod 600 {}", m_instance.keyFile, m_instance.keyFile));
    } else {
        // A signed message that asks for the present state and changes nothing: proves key, program and right to update.
        const Result<DnsAnswer> now = ask(m_instance.server, limit);
        const Status signedOne =
            now ? update(fmt::format("prereq yxrrset {}. {}\n", m_instance.record, dnsTypeName(m_type)) +
                             fmt::format("update add {}. {} {} {}\n", m_instance.record, now->ttl, dnsTypeName(m_type),
                                         recordData(m_type, now->values.empty() ? m_instance.blue : now->values.front())),
                         Deadline(limit))
                : Status(now.error());
        if (!signedOne) {
            found.push_back(signedOne.error().text());
        }
    }
    for (const std::string& server : m_instance.secondaries) {
        if (const Result<DnsAnswer> answer = ask(server, limit); !answer) {
            found.push_back(answer.error().text());
        }
    }
    return found;
}

std::vector<std::string> DnsRouter::weaknesses(Millis limit) {
    const Result<DnsAnswer> now = ask(m_instance.server, limit);
    if (now.ok() && now->ttl > m_instance.ttlSeconds) {
        return {fmt::format("{} has a TTL of {} s, the plan allows {}: clients may go to the old primary for so long. Lower it, and wait "
                            "{} s before the switch",
                            m_instance.record, now->ttl, m_instance.ttlSeconds, now->ttl)};
    }
    return {};
}

Status DnsRouter::update(const std::string& commands, const Deadline& deadline) const {
    const std::int64_t seconds = std::max<std::int64_t>(1, (deadline.left().count() + 999) / 1000);
    ProcessSpec spec;
    // The key is read from its file: never an argument, which everyone on the machine could see.
    spec.argv = {m_instance.nsupdate, "-k", m_instance.keyFile, "-t", std::to_string(seconds), "-u", "1", "-r", "2"};
    spec.input = fmt::format("server {} {}\nzone {}.\n{}send\nquit\n", m_instance.server, m_instance.port, m_instance.zone, commands);
    const Result<ProcessOutcome> outcome = runProcess(spec, Deadline(deadline.left()));
    if (!outcome) {
        return Error{outcome.error().kind,
                     fmt::format("{}: nsupdate: {}", m_instance.name, outcome.error().message),
                     "Is the package with nsupdate (Debian: bind9-dnsutils) installed, and does the name server answer?",
                     {}};
    }
    if (outcome->exitCode != 0) {
        return Error{Error::Kind::Server,
                     fmt::format("{}: the update of {} was not taken: {}", m_instance.name, m_instance.record,
                                 plainText(redactText(outcome->output + outcome->errors), 300)),
                     "May this key update the record?",
                     {}};
    }
    return {};
}

Status DnsRouter::waitUntilShown(const std::vector<std::string>& values, const Deadline& deadline) const {
    for (const std::string& server : servers()) {
        for (;;) {
            const Result<DnsAnswer> now = ask(server, std::max(deadline.left(), Millis(1)));
            if (now.ok() && now->values == values) {
                break;
            }
            if (deadline.passed()) {
                return now.ok() ? Status(Error{Error::Kind::Timeout,
                                               fmt::format("{}: {} still answers {} for {}.", m_instance.name, server,
                                                           fmt::join(now->values, ", "), m_instance.record),
                                               "Does the zone's transfer to it work?",
                                               {}})
                                : Status(now.error());
            }
            ::poll(nullptr, 0, 10);
        }
    }
    return {};
}

Status DnsRouter::replace(const std::vector<std::string>& values, std::int64_t ttl, const Deadline& deadline) {
    const char* type = dnsTypeName(m_type);
    std::string commands = fmt::format("update delete {}. {}\n", m_instance.record, type);
    for (const std::string& value : values) {
        commands += fmt::format("update add {}. {} {} {}\n", m_instance.record, ttl, type, recordData(m_type, value));
    }
    const Status updated = update(commands, deadline);
    return updated ? waitUntilShown(values, deadline) : updated;
}

Status DnsRouter::shift(Side to, Millis limit) {
    const Deadline deadline(std::max(limit, m_instance.limit));
    const std::string& value = to == Side::Blue ? m_instance.blue : m_instance.green;
    if (const Result<DnsAnswer> now = ask(m_instance.server, limit); now.ok() && now->values == std::vector<std::string>{value}) {
        return waitUntilShown({value}, deadline);
    }
    return replace({value}, m_instance.ttlSeconds, deadline);
}

Result<Json> DnsRouter::save(Millis limit) {
    const Result<DnsAnswer> now = ask(m_instance.server, limit);
    if (!now) {
        return now.error();
    }
    return Json{{"values", now->values}, {"ttl", now->ttl}};
}

Status DnsRouter::restore(const Json& saved, Millis limit) {
    std::vector<std::string> values;
    for (const Json& value : member<Json>(saved, "values", Json::array())) {
        const std::string text = value.is_string() ? value.get<std::string>() : std::string();
        // It goes into a line of nsupdate: nothing but what a record can hold.
        const bool name = dnsTypeFor(text) == DnsType::Cname;
        if (text.empty() || (name && dnsQuestion(0, text, DnsType::Cname).empty()) || text.find_first_of(" \t\r\n;") != std::string::npos ||
            dnsTypeFor(text) != m_type) {
            return Error{Error::Kind::Invalid, fmt::format("{}: what was saved is no record.", m_instance.name), {}, {}};
        }
        values.push_back(text);
    }
    std::sort(values.begin(), values.end());
    const auto ttl = std::clamp<std::int64_t>(member<std::int64_t>(saved, "ttl", m_instance.ttlSeconds), 0, 2'147'483'647);
    const Result<DnsAnswer> now = ask(m_instance.server, limit);
    if (now.ok() && now->values == values && now->ttl == ttl) {
        return {};
    }
    return replace(values, ttl, Deadline(std::max(limit, m_instance.limit)));
}

Result<std::optional<RouterEndpoint>> DnsRouter::endpoint(Millis limit) {
    if (m_instance.clientPort == 0) {
        return std::optional<RouterEndpoint>();
    }
    const Result<DnsAnswer> now = ask(m_instance.server, limit);
    if (!now) {
        return now.error();
    }
    const std::string first = now->values.empty() ? std::string() : now->values.front();
    return std::optional<RouterEndpoint>(m_type == DnsType::Cname ? RouterEndpoint{first, "", m_instance.clientPort}
                                                                  : RouterEndpoint{m_instance.record, first, m_instance.clientPort});
}

} // namespace tealdeck
