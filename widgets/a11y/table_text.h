// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QModelIndexList>
#include <QString>

class QAbstractItemModel;

namespace tealdeck {

/// In which form rows leave the program: aligned for reading, tab-separated, comma-separated (RFC 4180), or a SQL select over values.
enum class TableForm { Text, Tsv, Csv, Sql };

/// The chosen rows (all when empty) with a header line. Cells that a spreadsheet would take for a formula are quoted as text.
QString tableText(const QAbstractItemModel& model, const QModelIndexList& rows, TableForm form);

} // namespace tealdeck
