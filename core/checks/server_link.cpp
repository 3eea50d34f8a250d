// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/server_link.h"

#include "core/postgres/sql.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

/// The other side as this one reaches it.
std::string conninfoTo(const Plan& plan, Side other, const std::string& database) {
    const ReplicationPlan& r = plan.replication;
    const Endpoint& primary = plan.side(other).primary;
    const std::string& host = other == Side::Blue ? r.blueHost : r.greenHost;
    const int port = other == Side::Blue ? r.bluePort : r.greenPort;
    return conninfo({{"host", host.empty() ? primary.host : host},
                     {"port", std::to_string(port == 0 ? primary.port : port)},
                     {"user", r.user},
                     {"dbname", database},
                     {"passfile", r.passfile},
                     {"sslmode", r.sslmode},
                     {"sslrootcert", r.sslrootcert},
                     {"connect_timeout", "3"},
                     {"application_name", "tealdeck/probe"}});
}

} // namespace

CheckAnswer serverReachesOther(const CheckSubject& s) {
    const Side other = otherSide(s.side);
    const std::string& wanted = s.plan().controlDatabase();
    // Before replication green has none of the databases: the log-in is proven on another one.
    const Result<bool> here = s.sessions.exists(s.side, wanted);
    const Result<bool> there = s.sessions.exists(other, wanted);
    if (!here || !there) {
        return CheckAnswer::unknown((here ? there : here).error().text());
    }
    const std::string database = *there ? wanted : s.plan().side(other).primary.database;
    const std::string name = "tealdeck_probe_" + randomHex(6);
    const std::string sql = fmt::format("BEGIN READ WRITE; SET LOCAL client_min_messages = error; CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} "
                                        "WITH (connect = true, enabled = false, create_slot = false, slot_name = none, copy_data = false); ROLLBACK",
                                        quoteIdentifier(name), quoteLiteral(conninfoTo(s.plan(), other, database)), quoteIdentifier(name));
    const Result<Rows> probed = s.sessions.batch(s.side, *here ? wanted : "", sql, CheckSessions::STATEMENT_LIMIT);
    if (!probed) {
        static_cast<void>(s.sessions.batch(s.side, *here ? wanted : "", "ROLLBACK", CheckSessions::STATEMENT_LIMIT));
        const std::string& state = probed.error().sqlstate;
        // 08: the connection that was to be proven failed; 42704 and 22023 come from a publisher that answered something else.
        const bool answered = state.rfind("08", 0) == 0;
        return answered ? CheckAnswer::fail(plainText(probed.error().message)) : CheckAnswer::unknown(plainText(probed.error().text()));
    }
    return CheckAnswer::pass(fmt::format("{} reaches {} as {}", sideName(s.side), sideName(other), s.plan().replication.user));
}

} // namespace tealdeck
