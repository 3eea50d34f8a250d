// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/clock.h"
#include "core/util/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tealdeck {

enum class DnsType : std::uint16_t { A = 1, Cname = 5, Aaaa = 28 };

/// The record set of one name and type, as one server told it.
struct DnsAnswer {
    std::vector<std::string> values; ///< addresses, or a name without the dot at the end; sorted; none: there is no such record
    std::int64_t ttl = 0;            ///< seconds
    bool authoritative = false;      ///< the server is responsible for the zone, so that this is no copy
};

/// Asks one server by UDP, without recursion, again every 500 ms until the limit. Unavailable or Timeout when it does not answer, Conflict
/// when it refuses or answers nonsense. Answers of others than the server that was asked are ignored.
Result<DnsAnswer> askDns(const std::string& server, int port, const std::string& name, DnsType type, Millis limit);

/// A, AAAA or CNAME: whichever fits what a record is to lead to.
DnsType dnsTypeFor(const std::string& target);
/// "A", "AAAA" or "CNAME".
const char* dnsTypeName(DnsType type);

/// The bytes of a question (RFC 1035, 4.1). Empty when the name is none.
std::string dnsQuestion(std::uint16_t id, const std::string& name, DnsType type);
/// Reads an answer to that question; std::nullopt-like Conflict when the bytes are no answer to it.
Result<DnsAnswer> readDnsAnswer(std::string_view bytes, std::uint16_t id, const std::string& name, DnsType type);

} // namespace tealdeck
