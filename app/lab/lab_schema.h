// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab_state.h"

namespace tealdeck {

/// Makes blue's databases and fills them: shop (two databases with many kinds of object), pgbench or many; and in each of them
/// the tables that the load client uses.
Status makeLabSchema(const LabState& state);

/// What all databases have: load_write with its free-standing sequence, load_account, load_item.
std::string loadTablesSql();
/// Objects of database shop; of shop_audit. Only what PostgreSQL 13 to 18 all accept; no extension, large object or unlogged table.
std::string shopSql();
std::string shopRowsSql(int scale);
std::string shopAuditSql(int scale);

} // namespace tealdeck
