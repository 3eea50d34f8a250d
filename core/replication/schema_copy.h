// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"
#include "core/recipe/step.h"
#include "core/util/json.h"

#include <filesystem>
#include <string>

namespace tealdeck {

/// Roles, databases and schemas from blue to green. Each part can be repeated: what is there already is left or brought in line.
namespace schema_copy {

/// Roles that green misses, with attributes, password hashes, memberships and settings. Never touches a role that exists on green except
/// for memberships. The statements hold password hashes and are kept out of the record.
Status copyRoles(Connection& blue, Connection& green);

/// The database with blue's encoding, locale, owner, settings and grants. False: it was there already. With another name on green when
/// one is given.
Result<bool> createDatabase(Connection& blue, Connection& green, const std::string& database, const std::string& as = {});

/// Gives tables without a usable key REPLICA IDENTITY FULL, and returns them with what they had ({"table": "d"}) so that it can be given
/// back.
Result<Json> addReplicaIdentities(Connection& session);
Status restoreReplicaIdentities(Connection& session, const Json& saved);

/// pg_dump of the schema alone into a file of the engine's folder.
Status dump(const Plan& plan, const std::string& database, const std::filesystem::path& file, const StepContext& context);
/// The parts of a schema in the order in which they are restored.
enum class SchemaPart {
    Tables, ///< tables, functions, types, defaults
    Keys,   ///< what apply needs: keys and identity indexes
    Rest    ///< secondary indexes, foreign keys, triggers, policies
};
/// Restores a part of the dump; keys and the rest by several sessions. again: an earlier life may have restored some of it, so what
/// pg_restore complains about is not an error, and the caller has to compare both sides afterwards.
Status restore(SchemaPart part, bool again, const Plan& plan, const std::string& database, const std::filesystem::path& file,
               Connection& blue, const StepContext& context);
/// Restores the whole file and returns what pg_restore complained about; empty: nothing.
Result<std::string> tryRestore(const Plan& plan, const std::string& database, const std::filesystem::path& file,
                               const StepContext& context);
/// Fills the materialized views that are filled on blue.
Status refreshMaterializedViews(Connection& blue, Connection& green, Millis limit);

} // namespace schema_copy
} // namespace tealdeck
