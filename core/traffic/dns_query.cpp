// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/dns_query.h"

#include "core/util/files.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <cerrno>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <random>
#include <sys/socket.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr std::size_t HEADER = 12;
constexpr Millis ASK_AGAIN{500};
constexpr std::uint16_t CLASS_IN = 1;

Error nonsense(const std::string& what) {
    return {Error::Kind::Conflict, fmt::format("The name server's answer {}.", what), {}, {}};
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string withoutDot(std::string name) {
    if (!name.empty() && name.back() == '.') {
        name.pop_back();
    }
    return lower(std::move(name));
}

/// Reads the bytes from front to back; everything after a read past the end is "not there".
class Reader {
  public:
    explicit Reader(std::string_view bytes) : m_bytes(bytes) {}

    std::uint8_t byte() { return m_at < m_bytes.size() ? static_cast<std::uint8_t>(m_bytes[m_at++]) : fail(); }
    std::uint16_t word() {
        const unsigned high = byte();
        return static_cast<std::uint16_t>(high << 8U | byte());
    }
    std::uint32_t number() {
        const std::uint32_t high = word();
        return high << 16U | word();
    }
    std::string_view take(std::size_t size) {
        if (m_bytes.size() - m_at < size) {
            fail();
            return {};
        }
        m_at += size;
        return m_bytes.substr(m_at - size, size);
    }
    /// A name, with its references to earlier ones (RFC 1035, 4.1.4), which must lead backwards so that they end.
    std::string name() {
        std::string text;
        std::size_t at = m_at;
        std::size_t lowest = m_at;
        bool jumped = false;
        while (m_fine) {
            const std::size_t size = at < m_bytes.size() ? static_cast<std::uint8_t>(m_bytes[at]) : fail();
            if (!m_fine || size == 0) {
                m_at = jumped ? m_at : at + 1;
                break;
            }
            if ((size & 0xC0U) == 0xC0U) {
                const std::size_t to = at + 1 < m_bytes.size() ? (size & 0x3FU) << 8U | static_cast<std::uint8_t>(m_bytes[at + 1]) : fail();
                m_at = jumped ? m_at : at + 2;
                jumped = true;
                if (to >= lowest) {
                    fail();
                }
                lowest = at = to;
                continue;
            }
            if (size > 63 || at + 1 + size > m_bytes.size() || text.size() + size > 254) {
                fail();
                break;
            }
            text += (text.empty() ? "" : ".") + std::string(m_bytes.substr(at + 1, size));
            at += 1 + size;
        }
        return lower(std::move(text));
    }
    [[nodiscard]] bool fine() const { return m_fine; }
    [[nodiscard]] std::size_t at() const { return m_at; }

  private:
    std::uint8_t fail() {
        m_fine = false;
        m_at = m_bytes.size();
        return 0;
    }

    std::string_view m_bytes;
    std::size_t m_at = 0;
    bool m_fine = true;
};

std::optional<std::string> valueOf(DnsType type, std::string_view data, Reader& whole) {
    char text[INET6_ADDRSTRLEN] = {};
    if (type == DnsType::Cname) {
        return whole.name();
    }
    const bool four = type == DnsType::A;
    if (data.size() != (four ? 4U : 16U) || ::inet_ntop(four ? AF_INET : AF_INET6, data.data(), text, sizeof text) == nullptr) {
        return std::nullopt;
    }
    return text;
}

struct Socket {
    int fd = -1;
    Socket() = default;
    ~Socket() {
        if (fd >= 0) {
            ::close(fd);
        }
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
};

/// A connected one hears only the server that it is connected to.
Status connectTo(Socket& socket, const std::string& server, int port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(server.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (failed != 0) {
        return Error{
            Error::Kind::Unavailable, fmt::format("The name server {} has no address: {}.", server, ::gai_strerror(failed)), {}, {}};
    }
    socket.fd = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool fine = socket.fd >= 0 && ::connect(socket.fd, found->ai_addr, found->ai_addrlen) == 0;
    ::freeaddrinfo(found);
    return fine ? Status()
                : Status(Error{Error::Kind::Unavailable,
                               fmt::format("The name server {}:{} cannot be reached: {}.", server, port, systemReason(errno)),
                               {},
                               {}});
}

} // namespace

DnsType dnsTypeFor(const std::string& target) {
    in6_addr buffer{};
    return ::inet_pton(AF_INET, target.c_str(), &buffer) == 1    ? DnsType::A
           : ::inet_pton(AF_INET6, target.c_str(), &buffer) == 1 ? DnsType::Aaaa
                                                                 : DnsType::Cname;
}

const char* dnsTypeName(DnsType type) {
    return type == DnsType::A ? "A" : type == DnsType::Aaaa ? "AAAA" : "CNAME";
}

std::string dnsQuestion(std::uint16_t id, const std::string& name, DnsType type) {
    const auto word = [](unsigned value) { return std::string{static_cast<char>(value >> 8U & 0xFFU), static_cast<char>(value & 0xFFU)}; };
    // No recursion: a copy that another server holds is no answer.
    std::string bytes = word(id) + word(0) + word(1) + word(0) + word(0) + word(0);
    const std::string plain = withoutDot(name);
    for (std::size_t at = 0; at <= plain.size();) {
        const std::size_t end = std::min(plain.find('.', at), plain.size());
        if (end == at || end - at > 63 || plain.size() > 253) {
            return {};
        }
        bytes += static_cast<char>(end - at) + plain.substr(at, end - at);
        at = end + 1;
    }
    return bytes + std::string(1, '\0') + word(static_cast<unsigned>(type)) + word(CLASS_IN);
}

Result<DnsAnswer> readDnsAnswer(std::string_view bytes, std::uint16_t id, const std::string& name, DnsType type) {
    Reader reader(bytes);
    const std::uint16_t answered = reader.word();
    const std::uint16_t flags = reader.word();
    const int questions = reader.word();
    const int answers = reader.word();
    static_cast<void>(reader.number()); // authority and additional records are not looked at
    if (bytes.size() < HEADER || answered != id || (flags & 0x8000U) == 0 || questions != 1) {
        return nonsense("does not belong to the question");
    }
    const std::string asked = withoutDot(name);
    if (reader.name() != asked || reader.word() != static_cast<std::uint16_t>(type) || reader.word() != CLASS_IN || !reader.fine()) {
        return nonsense("does not belong to the question");
    }
    const unsigned code = flags & 0x0FU;
    if (code != 0 && code != 3) {
        return nonsense(code == 5 ? "is a refusal" : code == 9 ? "says that it is not responsible" : fmt::format("is the error {}", code));
    }
    if ((flags & 0x0200U) != 0) {
        return nonsense("is longer than one packet");
    }
    DnsAnswer answer;
    answer.authoritative = (flags & 0x0400U) != 0;
    for (int i = 0; i < answers && reader.fine(); ++i) {
        const std::string owner = reader.name();
        const std::uint16_t recordType = reader.word();
        const std::uint16_t recordClass = reader.word();
        const std::uint32_t ttl = reader.number();
        const std::uint16_t size = reader.word();
        Reader inside = reader; // a name in the data may refer to what came before it
        const std::string_view data = reader.take(size);
        if (!reader.fine()) {
            break;
        }
        if (owner != asked || recordType != static_cast<std::uint16_t>(type) || recordClass != CLASS_IN) {
            continue;
        }
        const std::optional<std::string> value = valueOf(type, data, inside);
        if (!value || (type == DnsType::Cname && (!inside.fine() || inside.at() != reader.at()))) {
            return nonsense("holds a broken record");
        }
        answer.values.push_back(*value);
        answer.ttl = ttl;
    }
    if (!reader.fine()) {
        return nonsense("is cut off");
    }
    std::sort(answer.values.begin(), answer.values.end());
    return answer;
}

Result<DnsAnswer> askDns(const std::string& server, int port, const std::string& name, DnsType type, Millis limit) {
    const Deadline deadline(limit);
    Socket socket;
    if (const Status connected = connectTo(socket, server, port); !connected) {
        return connected.error();
    }
    std::random_device random;
    const auto id = static_cast<std::uint16_t>(random());
    const std::string question = dnsQuestion(id, name, type);
    if (question.empty()) {
        return Error{Error::Kind::Invalid, fmt::format("\"{}\" is no domain name.", name), {}, {}};
    }
    Error last{
        Error::Kind::Timeout, fmt::format("The name server {}:{} did not answer within {} ms.", server, port, limit.count()), {}, {}};
    char buffer[4096];
    do {
        const Deadline again(std::min(ASK_AGAIN, std::max(deadline.left(), Millis(1))));
        if (::send(socket.fd, question.data(), question.size(), MSG_NOSIGNAL) < 0) {
            last = {Error::Kind::Unavailable,
                    fmt::format("The name server {}:{} cannot be asked: {}.", server, port, systemReason(errno)),
                    "Is it running?",
                    {}};
        }
        while (!again.passed()) {
            pollfd entry{socket.fd, POLLIN, 0};
            if (::poll(&entry, 1, static_cast<int>(again.left().count()) + 1) <= 0) {
                break;
            }
            const ssize_t size = ::recv(socket.fd, buffer, sizeof buffer, 0);
            if (size < 0) {
                last = {Error::Kind::Unavailable,
                        fmt::format("The name server {}:{} cannot be asked: {}.", server, port, systemReason(errno)),
                        "Is it running?",
                        {}};
                // Nobody listens there: asking again at once would only spin.
                ::poll(nullptr, 0, static_cast<int>(std::min(again.left(), Millis(50)).count()));
                break;
            }
            Result<DnsAnswer> answer = readDnsAnswer(std::string_view(buffer, static_cast<std::size_t>(size)), id, name, type);
            if (answer) {
                return answer;
            }
            last = answer.error();
        }
        if (last.kind == Error::Kind::Conflict) {
            return last;
        }
    } while (!deadline.passed());
    return last;
}

} // namespace tealdeck
