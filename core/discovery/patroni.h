// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/inventory.h"
#include "core/plan/plan.h"
#include "core/util/clock.h"

#include <string>

namespace tealdeck {

/// What the server says about itself, to be compared; empty: not known.
struct ServerSays {
    std::string role; ///< "primary", "replica"
    std::string systemIdentifier;
    std::string zone; ///< of the plan
};

/// Asks the Patroni beside a server (GET /patroni, HTTP). No answer within the limit is an empty state with the problem said.
PatroniAnswer askPatroni(const Endpoint& endpoint, const ServerSays& server, Millis limit);

/// The same from an answer that came: `problem` names the first contradiction to the server or the plan.
/// Source: Patroni documentation, REST API, GET /patroni; roles "master" (up to 3) and "primary" mean the same.
PatroniAnswer readPatroni(int status, const std::string& body, const ServerSays& server);

} // namespace tealdeck
