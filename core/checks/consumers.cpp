// SPDX-License-Identifier: GPL-3.0-or-later
// Who else reads blue's changes, and whom blue follows: nothing of that moves to green by itself.
#include "core/checks/catalogue.h"

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

constexpr const char* FOREIGN_SLOTS_SQL = R"(
select format('%s of %s in %s, %s', slot_name, plugin, database, case when active then 'in use' else 'idle' end),
       format('SELECT pg_drop_replication_slot(%L);', slot_name) as fix from pg_replication_slots
 where slot_type = 'logical' and not temporary and slot_name not like 'tealdeck\_%' and slot_name !~ '^pg_[0-9]+_sync_[0-9]+' order by 1)";

constexpr const char* LOST_SLOTS_SQL = R"(
select format('%s is %s', slot_name, to_jsonb(s)->>'wal_status'), format('SELECT pg_drop_replication_slot(%L);', slot_name) as fix from pg_replication_slots s
 where to_jsonb(s)->>'wal_status' in ('lost', 'unreserved') order by 1)";

constexpr const char* IDLE_SLOTS_SQL = R"(
select format('%s keeps %s of WAL', slot_name, pg_size_pretty(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, restart_lsn))),
       format('SELECT pg_drop_replication_slot(%L);', slot_name) as fix from pg_replication_slots
 where slot_type = 'physical' and not active and not temporary and restart_lsn is not null order by 1)";

constexpr const char* SUBSCRIPTIONS_SQL = R"(
select format('%s in %s', subname, current_database()), format('ALTER SUBSCRIPTION %I DISABLE; ALTER SUBSCRIPTION %I SET (slot_name = NONE); DROP SUBSCRIPTION %I;', subname, subname, subname) as fix
  from pg_subscription where subdbid = (select oid from pg_database where datname = current_database()) and subname not like 'tealdeck\_%')";

constexpr const char* PUBLICATIONS_SQL = R"(
select format('%s in %s', pubname, current_database()), format('DROP PUBLICATION %I;', pubname) as fix from pg_publication where pubname not like 'tealdeck\_%')";

} // namespace

std::vector<CheckDefinition> consumerChecks() {
    const std::string family = "consumers";
    return {
        {.id = "CDC01",
         .family = family,
         .scope = Source,
         .when = Always,
         .question = "Is there no other consumer of logical changes?",
         .why = "Its slot does not exist on the other side: after the switch it misses changes, or reads the old ones again.",
         .expected = "no logical slot besides the deployment's",
         .fix = "Agree on a hand-over with the owner of each (stop it, note its place, begin anew on green); drop what nobody reads.",
         .source = "PostgreSQL manual, Logical Decoding Concepts",
         .sql = FOREIGN_SLOTS_SQL,
         .blocksRollback = false},
        {.id = "CDC02",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "Is nothing published to others?",
         .why = "Publications are not carried over: subscribers of this database have to be connected to green by hand.",
         .expected = "no publication besides the deployment's",
         .fix = "Write down who subscribes and make the publication on green after the switch; drop what nobody uses.",
         .source = "PostgreSQL manual, pg_dump --no-publications",
         .sql = PUBLICATIONS_SQL},
        {.id = "CDC03",
         .family = family,
         .scope = Source,
         .when = Always,
         .perDatabase = true,
         .question = "Does production follow no other server?",
         .why = "What it receives carries an origin and may not go on to green, and nobody would feed green after the switch.",
         .expected = "no subscription besides the deployment's",
         .fix = "Move the subscription by hand. Dropped as here, its slot stays on the publisher and has to be dropped there.",
         .source = "PostgreSQL manual, CREATE SUBSCRIPTION, origin; DROP SUBSCRIPTION, Notes",
         .sql = SUBSCRIPTIONS_SQL,
         .blocksRollback = false},
        {.id = "CDC04",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .question = "Is every slot's WAL still there?",
         .why = "Who reads a slot that is lost has to begin anew; it is better known before the deployment than blamed on it.",
         .expected = "no slot in state unreserved or lost",
         .fix = "Bring its reader back, or drop it.",
         .source = "PostgreSQL manual, pg_replication_slots",
         .sql = LOST_SLOTS_SQL,
         .minVersion = 13},
        {.id = "CDC05",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .question = "Does every physical slot have its standby?",
         .why = "A slot without one keeps WAL, and may hold back the horizon, until the disk is full.",
         .expected = "no idle physical slot that keeps WAL",
         .fix = "Start the standby, or drop the slot.",
         .source = "PostgreSQL manual, Replication Slots",
         .sql = IDLE_SLOTS_SQL,
         .validForSeconds = 60},
    };
}

} // namespace tealdeck
