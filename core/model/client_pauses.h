// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/json.h"

#include <string>
#include <vector>

namespace tealdeck {

/// Clients of a pooler with the same user, database, application and address.
struct ClientGroup {
    std::string user;
    std::string database;
    std::string application; ///< as the client calls itself; may be empty
    std::string address;     ///< where it comes from; "unix" for a socket
    int clients = 0;
    double longestMs = 0; ///< how long the one that asked first has waited until the pause was over
};

/// Which clients a pooler kept waiting in one switch, as SHOW CLIENTS told just before the destination was opened. Who came later is not
/// counted, and the log-in of the pooler's new sessions after the pause is not part of the waits.
struct ClientPauses {
    std::string direction; ///< "cutover" or "rollback"
    std::string pooler;
    int waiting = 0;                 ///< clients in all
    std::vector<ClientGroup> groups; ///< longest wait first; at most 50
};

Json toJson(const ClientPauses& pauses);
/// Members that are missing or of a wrong kind keep their defaults; at most 50 groups are taken.
ClientPauses clientPausesFromJson(const Json& json);
/// "16 clients waited at pooler-1, the longest 142 ms".
std::string clientPausesText(const ClientPauses& pauses);
/// "shop_app · shop · checkout · 10.0.0.7": what tells a group from another, without its empty parts; plain text.
std::string clientGroupName(const ClientGroup& group);

} // namespace tealdeck
