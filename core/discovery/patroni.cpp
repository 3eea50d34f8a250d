// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/discovery/patroni.h"

#include "core/util/http_get.h"
#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr std::size_t LONGEST = 100;

std::string textOf(const Json& json, const char* key) {
    return plainText(member<std::string>(json, key, ""), LONGEST);
}

/// Where the answer contradicts what the server or the plan says.
std::string contradiction(const PatroniAnswer& answer, const std::string& identifier, const ServerSays& server) {
    if (answer.state != "running" && answer.state != "streaming" && !server.role.empty()) {
        return fmt::format("Patroni says \"{}\", but the server answers.", answer.state);
    }
    // The leader of a standby cluster is a standby for PostgreSQL.
    const std::string role = answer.role == "standby_leader" ? "replica" : answer.role;
    if (!server.role.empty() && role != server.role) {
        return fmt::format("Patroni says {}, the server says {}.", answer.role, server.role);
    }
    if (!identifier.empty() && !server.systemIdentifier.empty() && identifier != server.systemIdentifier) {
        return fmt::format("Patroni speaks for another cluster: its system identifier is {}, the server's {}.", identifier,
                           server.systemIdentifier);
    }
    if (!answer.zone.empty() && !server.zone.empty() && answer.zone != server.zone) {
        return fmt::format("Patroni's tag says zone {}, the plan says {}.", answer.zone, plainText(server.zone, LONGEST));
    }
    return {};
}

} // namespace

PatroniAnswer readPatroni(int status, const std::string& body, const ServerSays& server) {
    PatroniAnswer answer;
    const Json json = parseJson(body).value_or(Json());
    answer.state = textOf(json, "state");
    if (answer.state.empty()) {
        answer.problem = fmt::format("What answers (status {}) is no Patroni.", status);
        return answer;
    }
    answer.role = textOf(json, "role");
    answer.role = answer.role == "master" ? "primary" : answer.role;
    answer.timeline = optionalNumber(json, "timeline");
    answer.zone = textOf(member(json, "tags", Json::object()), "zone");
    answer.paused = member<bool>(json, "pause", false);
    answer.problem = contradiction(answer, textOf(json, "database_system_identifier"), server);
    return answer;
}

PatroniAnswer askPatroni(const Endpoint& endpoint, const ServerSays& server, Millis limit) {
    const std::optional<HttpAddress> address = parseHttpAddress(endpoint.patroni);
    PatroniAnswer answer;
    if (!address) {
        answer.problem = "The plan's address of Patroni is none.";
        return answer;
    }
    // The status is 503 while PostgreSQL does not run; what matters stands in the text.
    const Result<HttpAnswer> came = httpGet(*address, "/patroni", limit);
    if (!came) {
        answer.problem = "Patroni does not answer: " + came.error().message;
        return answer;
    }
    return readPatroni(came->status, came->body, server);
}

} // namespace tealdeck
