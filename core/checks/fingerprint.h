// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"

#include <map>
#include <string>
#include <vector>

namespace tealdeck {

/// The structure of a database as text that is the same on every supported version: object → definition. Columns, defaults, identity,
/// constraints, indexes, triggers, functions, views, sequences' parameters, types, policies, partitions, owners and grants. Without our
/// own schemas and what belongs to extensions. Views are compared by columns, because each version prints their text in its own way.
using Fingerprint = std::map<std::string, std::string>;

/// The statement: columns object and definition. It needs search_path = pg_catalog, so that names of types are qualified.
const char* fingerprintSql();
Fingerprint fingerprintFrom(const Rows& rows);
/// One line for each difference, such as "column public.t.a: missing on green".
std::vector<std::string> fingerprintDifferences(const Fingerprint& blue, const Fingerprint& green);

} // namespace tealdeck
