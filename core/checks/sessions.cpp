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
         .fix = "Let them end, or end them.",
         .source = "tried: CREATE SUBSCRIPTION waited for the commit of a foreign transaction",
         .sql = "select format('pid %s of %s in %s, %s s old, %s', pid, usename, datname, round(extract(epoch from clock_timestamp() - "
                "xact_start)), state), format('SELECT pg_terminate_backend(%s);', pid) as fix from pg_stat_activity "
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
         .fix = "Ask whose they are: each is to be ended by COMMIT PREPARED or, as here, taken back.",
         .source = "PostgreSQL manual, PREPARE TRANSACTION; tried",
         .sql = "select format('%s of %s in %s', gid, owner, database), format('ROLLBACK PREPARED %L;', gid) as fix, database as fix_in "
                "from pg_prepared_xacts",
         .validForSeconds = 60},
        {.id = "SES03",
         .family = family,
         .severity = Severity::Info,
         .scope = Source,
         .question = "Do applications do without two-phase commit?",
         .why = "A transaction that is prepared at the moment of the fence stops the switch.",
         .expected = "max_prepared_transactions = 0",
         .fix = "Ask the owners of the applications; if none uses it, turn it off and restart the server.",
         .fixSql = "ALTER SYSTEM SET max_prepared_transactions = 0;",
         .source = "PostgreSQL manual, max_prepared_transactions",
         .sql = "select 'max_prepared_transactions = ' || current_setting('max_prepared_transactions') where "
                "current_setting('max_prepared_transactions') <> '0'"},
        {.id = "SES04",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .when = Always,
         .question = "Do sessions end their transactions?",
         .why = "A session that is idle in a transaction holds locks and is ended by the fence; its client gets an error.",
         .expected = "none idle in a transaction for more than a few seconds",
         .fix = "Mend the application; end such sessions, or let idle_in_transaction_session_timeout do it.",
         .source = "PostgreSQL manual, idle_in_transaction_session_timeout",
         .sql = "select format('pid %s of %s in %s, idle for %s s', pid, usename, datname, round(extract(epoch from clock_timestamp() - "
                "state_change))), format('SELECT pg_terminate_backend(%s);', "
                "pid) as fix from pg_stat_activity where state like 'idle in transaction%' and backend_type = 'client backend' and "
                "application_name not like 'tealdeck/%' and clock_timestamp() - "
                "state_change > make_interval(secs => {long_s})",
         .validForSeconds = 60},
        {.id = "SES05",
         .family = family,
         .severity = Severity::Info,
         .scope = Source,
         .when = BeforeCutover,
         .question = "Does no session hold advisory locks?",
         .why = "They live in the session and in this server only: after the switch two holders may believe that they are alone.",
         .expected = "none",
         .fix = "See that the applications take them anew, or end the sessions as here.",
         .source = "PostgreSQL manual, Advisory Locks",
         .sql = "select format('pid %s of %s', a.pid, a.usename), format('SELECT pg_terminate_backend(%s);', a.pid) as fix from pg_locks l "
                "join pg_stat_activity a on a.pid = l.pid where l.locktype = "
                "'advisory' and a.application_name not like 'tealdeck/%' group by a.pid, a.usename",
         .validForSeconds = 60},
        {.id = "SES06",
         .family = family,
         .scope = EachPrimary,
         .perDatabase = true,
         .question = "Does nobody keep a table locked?",
         .why = "The schema copy, the publication and the copy of the table wait for the lock, and others wait behind them.",
         .expected = "no strong lock on a table for more than a few seconds",
         .fix = "Let it end, or end the session.",
         .source = "PostgreSQL manual, Explicit Locking: Table-Level Locks",
         .sql = "select format('%s by pid %s of %s', l.relation::regclass, a.pid, a.usename), format('SELECT pg_terminate_backend(%s);', "
                "a.pid) as fix from pg_locks l join pg_stat_activity a on a.pid = "
                "l.pid join pg_database d on d.oid = l.database and d.datname = current_database() where l.locktype = 'relation' and "
                "l.relation >= 16384 and l.granted and a.backend_type = 'client backend' "
                "and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') and clock_timestamp() - "
                "a.xact_start > make_interval(secs => {long_s})",
         .validForSeconds = 60},
        {.id = "SES07",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .when = BeforeCutover,
         .question = "Will the running transactions end while the writes are paused?",
         .why = "The pause waits for them; what is still open after the drain limit is ended.",
         .expected = "none older than cutover.drain_ms of the plan",
         .fix = "Wait for them, or end them.",
         .source = "pgbouncer(1), PAUSE",
         .sql = "select format('pid %s of %s in %s, %s s old, %s', pid, usename, datname, round(extract(epoch from clock_timestamp() - "
                "xact_start)::numeric, 1), state), format('SELECT pg_terminate_backend(%s);', pid) as fix from pg_stat_activity "
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
         .fix = "Let it end, or end it.",
         .source = "pgbouncer(1), PAUSE",
         .sql = "select format('pid %s of %s in %s, %s s old, %s', pid, usename, datname, round(extract(epoch from clock_timestamp() - "
                "xact_start)::numeric, 1), state), format('SELECT pg_terminate_backend(%s);', pid) as fix from pg_stat_activity "
                "where backend_type = 'client backend' and application_name not like 'tealdeck/%' and pid <> pg_backend_pid() and "
                "clock_timestamp() - xact_start > make_interval(secs => {budget_ms} / 1000.0)",
         .blocksRollback = false,
         .validForSeconds = 30},
    };
}

} // namespace tealdeck
