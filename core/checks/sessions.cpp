// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/catalogue.h"

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

std::vector<CheckDefinition> sessionChecks() {
    const std::string family = "sessions";
    return {
        {.id = "SES01",
         .family = family,
         .scope = EachPrimary,
         .question = "Are there long transactions that write?",
         .why = "A slot, and the copy of each table, begins only when all transactions that were writing have ended, in any database.",
         .expected = "none older than a few seconds",
         .fix = "End them, or select pg_terminate_backend(PID);",
         .source = "tried: CREATE SUBSCRIPTION waited for the commit of a foreign transaction",
         .sql = "select format('pid %s of %s in %s, %s s old, %s', pid, usename, datname, round(extract(epoch from clock_timestamp() - "
                "xact_start)), state) from pg_stat_activity "
                "where backend_xid is not null and backend_type = 'client backend' and clock_timestamp() - xact_start > make_interval(secs "
                "=> {long_s}) and pid <> pg_backend_pid()",
         .validForSeconds = 60},
        {.id = "SES02",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "Are there prepared transactions?",
         .why = "They keep slots from being made for ever, and at the fence they hold writes that are neither committed nor gone.",
         .expected = "none",
         .fix = "COMMIT PREPARED 'GID' or ROLLBACK PREPARED 'GID' in its database.",
         .source = "PostgreSQL manual, PREPARE TRANSACTION; tried",
         .sql = "select format('%s of %s in %s', gid, owner, database) from pg_prepared_xacts",
         .validForSeconds = 60},
        {.id = "SES07",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .when = BeforeCutover,
         .question = "Will the running transactions end while the writes are paused?",
         .why = "The pause waits for them; what is still open after the drain limit is ended.",
         .expected = "none older than cutover.drain_ms of the plan",
         .fix = "Wait for them, end them, or select pg_terminate_backend(PID);",
         .source = "pgbouncer(1), PAUSE",
         .sql = "select format('pid %s of %s in %s, %s s old, %s', pid, usename, datname, round(extract(epoch from clock_timestamp() - "
                "xact_start), 1), state) from pg_stat_activity "
                "where backend_type = 'client backend' and application_name not like 'tealdeck/%' and pid <> pg_backend_pid() and "
                "clock_timestamp() - xact_start > make_interval(secs => {drain_ms} / 1000.0)",
         .validForSeconds = 30},
        {.id = "SES08",
         .family = family,
         .scope = Source,
         .when = BeforeCutover,
         .question = "Is any transaction older than the whole budget of the pause?",
         .why = "It is no short transaction that happens to run: the pause would most likely be given up because of it.",
         .expected = "none older than cutover.budget_ms of the plan",
         .fix = "End it, or select pg_terminate_backend(PID);",
         .source = "pgbouncer(1), PAUSE",
         .sql = "select format('pid %s of %s in %s, %s s old, %s', pid, usename, datname, round(extract(epoch from clock_timestamp() - "
                "xact_start), 1), state) from pg_stat_activity "
                "where backend_type = 'client backend' and application_name not like 'tealdeck/%' and pid <> pg_backend_pid() and "
                "clock_timestamp() - xact_start > make_interval(secs => {budget_ms} / 1000.0)",
         .validForSeconds = 30},
    };
}

} // namespace tealdeck
