// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/schema_copy.h"

#include "core/postgres/sql.h"
#include "core/util/files.h"
#include "core/util/process.h"

#include <fmt/format.h>
#include <set>
#include <sstream>

namespace tealdeck::schema_copy {
namespace {

/// Plain tables that UPDATE and DELETE would refuse once they are published: no valid immediate primary key and nothing else usable.
constexpr const char* NO_IDENTITY_SQL = R"(
select format('%I.%I', n.nspname, c.relname), c.relreplident::text
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and c.relpersistence = 'p' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'tealdeck', 'tealdeck_sync')
   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
   and (c.relreplident = 'n'
     or (c.relreplident = 'd' and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and i.indimmediate and (i.indisvalid or c.relkind = 'p')))
     or (c.relreplident = 'i' and not exists (select from pg_index i where i.indrelid = c.oid and i.indisreplident and i.indimmediate and i.indisvalid)))
 order by 1)";

constexpr const char* IDENTITY_INDEXES_SQL =
    "select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid where i.indisreplident and not i.indisprimary";

std::map<std::string, std::string> toolEnvironment() {
    // A restore must write although the database is already read-only by default for everyone else.
    return {{"PGOPTIONS", "-c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=0"}, {"PGCONNECT_TIMEOUT", "10"}};
}

Status runTool(std::vector<std::string> argv, const StepContext& context, std::string* output = nullptr) {
    const std::string program = argv.front();
    const Result<ProcessOutcome> outcome =
        runProcess({std::move(argv), toolEnvironment(), {}, {}, 0, 0}, context.deadline(), [&] { return context.cancelled(); });
    if (!outcome) {
        return outcome.error();
    }
    if (outcome->exitCode != 0) {
        return Error{
            Error::Kind::Server, fmt::format("{} ended with {}: {}", program, outcome->exitCode, outcome->errors.substr(0, 2000)), {}, {}};
    }
    if (output != nullptr) {
        *output = outcome->output;
    }
    return {};
}

std::string entryKind(const std::string& line) {
    // "3412; 1259 16385 TABLE public orders owner": what follows the three numbers.
    std::size_t at = line.find("; ");
    if (at == std::string::npos || line[0] == ';') {
        return {};
    }
    at = line.find(' ', at + 2);
    at = at == std::string::npos ? at : line.find(' ', at + 1);
    return at == std::string::npos ? std::string() : line.substr(at + 1);
}

std::string oneLine(std::string text) {
    for (char& c : text) {
        if (c == '\n' || c == '\r') {
            c = ' ';
        }
    }
    return text;
}

/// Needed before the copy although pg_dump puts it after the data: keys (they are replica identities) and identity indexes.
bool neededForApply(const std::string& kind, const std::set<std::string>& identityIndexes) {
    if (kind.rfind("CONSTRAINT ", 0) == 0) {
        return true;
    }
    if (kind.rfind("INDEX ", 0) != 0 || kind.rfind("INDEX ATTACH ", 0) == 0) {
        return false;
    }
    for (const std::string& name : identityIndexes) {
        if (kind.find(" " + oneLine(name) + " ") != std::string::npos) {
            return true;
        }
    }
    return false;
}

Result<std::set<std::string>> identityIndexes(Connection& blue) {
    const Result<Rows> rows = blue.query(IDENTITY_INDEXES_SQL);
    if (!rows) {
        return rows.error();
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        names.insert(rows->text(i, 0));
    }
    return names;
}

Result<std::string> listOf(const Plan& plan, const std::filesystem::path& file, const char* section, const StepContext& context) {
    std::string list;
    const Status listed = runTool({plan.programs.pgRestore, "--list", section, file.string()}, context, &list);
    return listed.ok() ? Result<std::string>(std::move(list)) : Result<std::string>(listed.error());
}

/// The entries of the dump that belong to a part.
Result<std::string> entriesOf(SchemaPart part, const Plan& plan, const std::filesystem::path& file, Connection& blue,
                              const StepContext& context) {
    if (part == SchemaPart::Tables) {
        return listOf(plan, file, "--section=pre-data", context);
    }
    const Result<std::set<std::string>> identities = identityIndexes(blue);
    const Result<std::string> postData = identities ? listOf(plan, file, "--section=post-data", context) : identities.error();
    if (!postData) {
        return postData;
    }
    std::string list;
    std::istringstream lines(*postData);
    for (std::string line; std::getline(lines, line);) {
        const std::string kind = entryKind(line);
        if (!kind.empty() && neededForApply(kind, *identities) == (part == SchemaPart::Keys)) {
            list += line + "\n";
        }
    }
    return list;
}

} // namespace

Result<Json> addReplicaIdentities(Connection& session) {
    const Result<Rows> rows = session.query(NO_IDENTITY_SQL, {}, Millis(30000));
    if (!rows) {
        return rows.error();
    }
    Json saved = Json::object();
    for (std::size_t i = 0; i < rows->size(); ++i) {
        const Result<Rows> done = session.batch(
            fmt::format("SET lock_timeout = '2s'; alter table {} replica identity full; SET lock_timeout = 0", rows->text(i, 0)));
        if (!done) {
            return Error{done.error().kind, done.error().message,
                         "Give the table a primary key, or try again when no long transaction holds it.", done.error().sqlstate};
        }
        saved[rows->text(i, 0)] = rows->text(i, 1);
    }
    return saved;
}

Status restoreReplicaIdentities(Connection& session, const Json& saved) {
    for (const auto& [table, identity] : saved.items()) {
        // What was an index that could not be used, or nothing, goes back to the nearest that can be said.
        const char* word = identity == "n" ? "nothing" : "default";
        const Result<Rows> done = session.batch(
            fmt::format("SET lock_timeout = '2s'; alter table if exists {} replica identity {}; SET lock_timeout = 0", table, word));
        if (!done) {
            return done.error();
        }
    }
    return {};
}

Status dump(const Plan& plan, const std::string& database, const std::filesystem::path& file, const StepContext& context) {
    const std::string source = conninfo(plan.blue.primary, database, "tealdeck/" + plan.deployment + "/dump", 10);
    return runTool({plan.programs.pgDump, "--format=custom", "--schema-only", "--no-publications", "--no-subscriptions",
                    "--exclude-schema=tealdeck", "--exclude-schema=tealdeck_sync", "--lock-wait-timeout=10s", "--file=" + file.string(),
                    "--dbname=" + source},
                   context);
}

Status restore(SchemaPart part, bool again, const Plan& plan, const std::string& database, const std::filesystem::path& file,
               Connection& blue, const StepContext& context) {
    const Result<std::string> list = entriesOf(part, plan, file, blue, context);
    if (!list) {
        return list.error();
    }
    if (list->empty()) {
        return {};
    }
    const std::filesystem::path listFile = file.string() + ".list";
    if (const Status written = writeFileAtomically(listFile, *list); !written) {
        return written;
    }
    std::vector<std::string> argv = {plan.programs.pgRestore, "--use-list=" + listFile.string(),
                                     "--dbname=" + conninfo(plan.green.primary, database, "tealdeck/" + plan.deployment + "/restore", 10)};
    if (!again) {
        argv.emplace_back("--exit-on-error");
    }
    if (part != SchemaPart::Tables && plan.copy.connections > 1) {
        argv.push_back(fmt::format("--jobs={}", plan.copy.connections)); // indexes and foreign keys beside each other
    }
    argv.push_back(file.string());
    const Status restored = runTool(std::move(argv), context);
    const bool onlyThere = again && !restored && restored.error().kind == Error::Kind::Server;
    return onlyThere ? Status() : restored;
}

Result<std::string> tryRestore(const Plan& plan, const std::string& database, const std::filesystem::path& file,
                               const StepContext& context) {
    const std::string target = conninfo(plan.green.primary, database, "tealdeck/" + plan.deployment + "/rehearsal", 10);
    const Result<ProcessOutcome> outcome =
        runProcess({{plan.programs.pgRestore, "--dbname=" + target, file.string()}, toolEnvironment(), {}, {}, 0, 0}, context.deadline(),
                   [&] { return context.cancelled(); });
    if (!outcome) {
        return outcome.error();
    }
    return outcome->exitCode == 0 ? std::string() : outcome->errors.empty() ? std::string("pg_restore failed") : outcome->errors;
}

Status refreshMaterializedViews(Connection& blue, Connection& green, Millis limit) {
    // By age of the object: a view that reads another is younger, since pg_dump restores in order of dependency.
    const Result<Rows> filled = blue.query("select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = "
                                           "c.relnamespace where c.relkind = 'm' and c.relispopulated order by c.oid");
    if (!filled) {
        return filled.error();
    }
    for (std::size_t i = 0; i < filled->size(); ++i) {
        if (const Result<Rows> done = green.batch("refresh materialized view " + filled->text(i, 0), limit); !done) {
            return done.error();
        }
    }
    return {};
}

} // namespace tealdeck::schema_copy
