// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/clock.h"
#include "core/util/result.h"

#include <optional>
#include <string>

namespace tealdeck {

struct HttpAddress {
    std::string host; ///< name or address, an IPv6 one without its brackets
    std::string port = "80";
};
/// From "http://HOST", "http://HOST:PORT" or "http://[::1]:PORT", perhaps with one "/" behind it; std::nullopt for anything else.
std::optional<HttpAddress> parseHttpAddress(const std::string& text);

struct HttpAnswer {
    int status = 0; ///< such as 200
    std::string body;
};
/// One GET in HTTP/1.0, plain: no TLS, no redirects, no chunks. The limit bounds everything, the look-up of the name too; an answer of
/// more than a mebibyte is refused.
Result<HttpAnswer> httpGet(const HttpAddress& address, const std::string& path, Millis limit);

} // namespace tealdeck
