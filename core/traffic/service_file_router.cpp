// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/service_file_router.h"

#include "core/traffic/owned_file.h"
#include "core/traffic/service_file.h"
#include "core/util/files.h"

#include <cstdlib>
#include <fmt/format.h>

namespace tealdeck {
namespace {

/// libpq's own port when a service names none.
constexpr const char* USUAL_PORT = "5432";

std::string valueOr(const std::map<std::string, std::string>& values, const char* key, const char* fallback) {
    const auto it = values.find(key);
    return it == values.end() ? fallback : it->second;
}

} // namespace

Error ServiceFileRouter::named(Error error) const {
    error.message = fmt::format("{}: {}: {}", m_instance.name, m_instance.file, error.message);
    return error;
}

std::string ServiceFileRouter::what() const {
    return fmt::format("the service file {}", m_instance.file);
}

Result<std::string> ServiceFileRouter::text() const {
    Result<std::string> bytes = readFile(m_instance.file, std::size_t{4} << 20);
    return bytes ? bytes : Result<std::string>(named(bytes.error()));
}

Result<std::map<std::string, std::string>> ServiceFileRouter::service(const std::string& text, const std::string& service) const {
    Result<std::map<std::string, std::string>> values = readService(text, service);
    if (!values) {
        return named(values.error());
    }
    if (values->count("hostaddr") != 0 || values->count("ldap") != 0) {
        return named({Error::Kind::Conflict,
                      fmt::format("the service [{}] has a hostaddr, which goes before its host.", service),
                      "Use host alone.",
                      {}});
    }
    return values;
}

Result<std::optional<Side>> ServiceFileRouter::target(Millis limit) {
    static_cast<void>(limit);
    const Result<std::string> now = text();
    if (!now) {
        return now.error();
    }
    std::optional<Side> found;
    for (const std::string& name : m_instance.services) {
        const auto values = service(*now, name);
        if (!values) {
            return values.error();
        }
        const std::string host = valueOr(*values, "host", "");
        const std::string port = valueOr(*values, "port", USUAL_PORT);
        const bool blue = host == m_instance.blueHost && port == std::to_string(m_instance.bluePort);
        const bool green = host == m_instance.greenHost && port == std::to_string(m_instance.greenPort);
        const Side side = blue ? Side::Blue : Side::Green;
        if ((!blue && !green) || (found && *found != side)) {
            return named({Error::Kind::Conflict,
                          blue || green
                              ? std::string("its services lead to both sides.")
                              : fmt::format("the service [{}] leads to {}:{}, which is no primary of the plan.", name, host, port),
                          "Correct the file, or the hosts in the plan.",
                          {}});
        }
        found = side;
    }
    return found;
}

std::vector<std::string> ServiceFileRouter::obstacles(Millis limit) {
    static_cast<void>(limit);
    std::vector<std::string> found;
    if (const std::string reason = whyNotReplaceable(m_instance.file); !reason.empty()) {
        found.push_back(reason);
    }
    const Result<std::string> now = text();
    for (const std::string& name : m_instance.services) {
        if (const auto values = now ? service(*now, name) : Result<std::map<std::string, std::string>>(now.error()); !values) {
            found.push_back(values.error().text());
        }
    }
    return found;
}

std::vector<std::string> ServiceFileRouter::weaknesses(Millis limit) {
    static_cast<void>(limit);
    return {};
}

Status ServiceFileRouter::rewrite(const std::map<std::string, Values>& services) const {
    const Result<std::string> before = text();
    if (!before) {
        return before.error();
    }
    std::string after = *before;
    for (const auto& [name, values] : services) {
        Result<std::string> changed = changeService(after, name, values);
        if (!changed) {
            return named(changed.error());
        }
        after = std::move(*changed);
    }
    return after == *before ? Status() : writeLikeFile(m_instance.file, after, m_instance.file);
}

Status ServiceFileRouter::shift(Side to, Millis limit) {
    const bool blue = to == Side::Blue;
    std::map<std::string, Values> services;
    for (const std::string& name : m_instance.services) {
        services[name] = {{"host", blue ? m_instance.blueHost : m_instance.greenHost},
                          {"port", std::to_string(blue ? m_instance.bluePort : m_instance.greenPort)}};
    }
    if (const Result<std::optional<Side>> now = target(limit); now.ok() && *now && **now == to) {
        return {};
    }
    return rewrite(services);
}

Result<Json> ServiceFileRouter::save(Millis limit) {
    static_cast<void>(limit);
    const Result<std::string> now = text();
    if (!now) {
        return now.error();
    }
    Json saved = Json::object();
    for (const std::string& name : m_instance.services) {
        const auto values = service(*now, name);
        if (!values) {
            return values.error();
        }
        for (const char* key : {"host", "port"}) {
            const auto it = values->find(key);
            saved[name][key] = it == values->end() ? Json(nullptr) : Json(it->second);
        }
    }
    return saved;
}

Status ServiceFileRouter::restore(const Json& saved, Millis limit) {
    static_cast<void>(limit);
    std::map<std::string, Values> services;
    for (const std::string& name : m_instance.services) {
        const Json values = member<Json>(saved, name.c_str(), Json::object());
        for (const char* key : {"host", "port"}) {
            const auto it = values.find(key);
            if (it == values.end() || (it->is_string() && it->get<std::string>().find('\n') != std::string::npos)) {
                return named({Error::Kind::Invalid, fmt::format("what was saved of the service [{}] is not complete.", name), {}, {}});
            }
            services[name][key] = it->is_string() ? std::optional<std::string>(it->get<std::string>()) : std::nullopt;
        }
    }
    return rewrite(services);
}

Result<std::optional<RouterEndpoint>> ServiceFileRouter::endpoint(Millis limit) {
    static_cast<void>(limit);
    const Result<std::string> now = text();
    if (!now) {
        return now.error();
    }
    const auto values = service(*now, m_instance.services.front());
    if (!values) {
        return values.error();
    }
    return std::optional<RouterEndpoint>(
        RouterEndpoint{valueOr(*values, "host", ""), "", std::atoi(valueOr(*values, "port", USUAL_PORT).c_str())});
}

} // namespace tealdeck
