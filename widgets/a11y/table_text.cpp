// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/a11y/table_text.h"

#include <QAbstractItemModel>
#include <QStringList>

#include <algorithm>
#include <set>
#include <vector>

namespace tealdeck {
namespace {

using Lines = std::vector<QStringList>;

/// The header first.
Lines cellsOf(const QAbstractItemModel& model, const QModelIndexList& rows) {
    Lines lines(1);
    for (int column = 0; column < model.columnCount(); ++column) {
        lines[0] << model.headerData(column, Qt::Horizontal).toString();
    }
    std::set<int> wanted;
    for (const QModelIndex& row : rows) {
        wanted.insert(row.row());
    }
    for (int row = 0; row < model.rowCount(); ++row) {
        if (wanted.empty() || wanted.contains(row)) {
            QStringList& cells = lines.emplace_back();
            for (int column = 0; column < model.columnCount(); ++column) {
                cells << model.index(row, column).data().toString().replace('\n', ' ').replace('\t', ' ');
            }
        }
    }
    return lines;
}

QString csvCell(QString cell) {
    if (!cell.isEmpty() && QStringLiteral("=+-@").contains(cell[0])) {
        cell.prepend('\''); // names from servers must not become formulas
    }
    const bool quoted = cell.contains(',') || cell.contains('"') || cell.contains('\n');
    return quoted ? QLatin1Char('"') + cell.replace('"', QLatin1String("\"\"")) + QLatin1Char('"') : cell;
}

QString aligned(const Lines& lines) {
    std::vector<qsizetype> widths(static_cast<std::size_t>(lines[0].size()), 0);
    for (const QStringList& cells : lines) {
        for (std::size_t i = 0; i < widths.size(); ++i) {
            widths[i] = std::max(widths[i], cells[static_cast<qsizetype>(i)].size());
        }
    }
    QStringList text;
    for (const QStringList& cells : lines) {
        QString line;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const QString& cell = cells[static_cast<qsizetype>(i)];
            line += i + 1 == widths.size() ? cell : cell.leftJustified(widths[i] + 2);
        }
        text << line;
    }
    return text.join('\n');
}

QString sqlOf(const Lines& lines) {
    const auto quoted = [](QString text, QChar mark) { return mark + text.replace(mark, QString(2, mark)) + mark; };
    QStringList names;
    for (const QString& name : lines[0]) {
        names << quoted(name, '"');
    }
    QStringList values;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        QStringList cells;
        for (const QString& cell : lines[i]) {
            cells << quoted(cell, '\'');
        }
        values << QStringLiteral("    (%1)").arg(cells.join(QStringLiteral(", ")));
    }
    return values.isEmpty() ? QString()
                            : QStringLiteral("select * from (values\n%1\n) as t(%2);")
                                  .arg(values.join(QStringLiteral(",\n")), names.join(QStringLiteral(", ")));
}

} // namespace

QString tableText(const QAbstractItemModel& model, const QModelIndexList& rows, TableForm form) {
    const Lines lines = cellsOf(model, rows);
    if (form == TableForm::Text) {
        return aligned(lines);
    }
    if (form == TableForm::Sql) {
        return sqlOf(lines);
    }
    QStringList text;
    for (const QStringList& cells : lines) {
        QStringList out;
        for (const QString& cell : cells) {
            out << (form == TableForm::Csv ? csvCell(cell) : cell);
        }
        text << out.join(form == TableForm::Csv ? ',' : '\t');
    }
    return text.join(form == TableForm::Csv ? QStringLiteral("\r\n") : QStringLiteral("\n"));
}

} // namespace tealdeck
