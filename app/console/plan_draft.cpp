// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/plan_draft.h"

#include "core/plan/plan.h"
#include "widgets/theme/theme.h"

#include <QFileInfo>
#include <QRegularExpression>
#include <initializer_list>
#include <variant>

namespace tealdeck {
namespace {

/// A TOML basic string.
QString quoted(const QString& text) {
    QString out;
    for (const QChar c : text) {
        if (c == '"' || c == '\\') {
            out += QLatin1Char('\\') + c;
        } else if (c.unicode() < 0x20 || c.unicode() == 0x7F) {
            out += QStringLiteral("\\u%1").arg(c.unicode(), 4, 16, QLatin1Char('0'));
        } else {
            out += c;
        }
    }
    return QLatin1Char('"') + out + QLatin1Char('"');
}

QString list(const QStringList& items) {
    QStringList all;
    for (const QString& item : items) {
        all << quoted(item);
    }
    return QStringLiteral("[%1]").arg(all.join(QStringLiteral(", ")));
}

struct Entry {
    const char* key;
    std::variant<QString, QStringList, int, double> value;
};

/// What is empty is left out; a list is told even when it is.
QString written(const Entry& entry) {
    const auto line = [&entry](const QString& value) { return QStringLiteral("%1 = %2\n").arg(QLatin1String(entry.key), value); };
    if (const auto* text = std::get_if<QString>(&entry.value)) {
        return text->isEmpty() ? QString() : line(quoted(*text));
    }
    if (const auto* texts = std::get_if<QStringList>(&entry.value)) {
        return line(list(*texts));
    }
    const auto* whole = std::get_if<int>(&entry.value);
    return line(whole != nullptr ? QString::number(*whole) : QString::number(std::get<double>(entry.value), 'g', 12));
}

QString table(const QString& name, std::initializer_list<Entry> entries) {
    QString text = QStringLiteral("\n%1\n").arg(name);
    for (const Entry& entry : entries) {
        text += written(entry);
    }
    return text;
}

QString server(const char* side, const PlanDraft::Server& s) {
    QString text = table(QStringLiteral("[%1.primary]").arg(QLatin1String(side)), {{"host", s.host}, {"port", s.port}, {"user", s.user}, {"database", s.database}, {"passfile", s.passfile}, {"sslmode", s.sslmode}, {"sslrootcert", s.sslrootcert}, {"zone", s.zone}});
    for (const PlanDraft::Replica& r : s.replicas) {
        text += table(QStringLiteral("[[%1.replicas]]").arg(QLatin1String(side)), {{"name", r.name}, {"host", r.host}, {"port", r.port}, {"zone", r.zone}});
    }
    return text;
}

} // namespace

QString planText(const PlanDraft& d) {
    QString text = QStringLiteral("format = 1\n");
    text += table(QStringLiteral("[deployment]"), {{"name", d.name}, {"databases", d.databases}});
    text += table(QStringLiteral("[engine]"), {{"folder", d.engineFolder}});
    text += server("blue", d.blue) + server("green", d.green);
    text += table(QStringLiteral("[replication]"), {{"user", d.replicationUser}, {"passfile", d.replicationPassfile}, {"sslrootcert", d.replicationRootcert}});
    if (const auto& p = d.pooler) {
        text += table(QStringLiteral("[[pgbouncer]]"), {{"name", QStringLiteral("pooler")}, {"host", p->host}, {"port", p->port}, {"user", p->user}, {"passfile", p->passfile}, {"databases_file", p->databasesFile}, {"databases", d.databases}});
    }
    if (const auto& b = d.balancer) {
        text += table(QStringLiteral("[[haproxy]]"), {{"name", QStringLiteral("balancer")}, {"socket", b->socket}, {"backend", b->backend}, {"blue_servers", b->blueServers}, {"green_servers", b->greenServers}});
        text += table(QStringLiteral("[ramp]"), {{"hold_seconds", d.holdSeconds}, {"max_lag_seconds", d.maxLagSeconds}});
    }
    text += table(QStringLiteral("[cutover]"), {{"budget_ms", d.budgetMs}});
    return text + table(QStringLiteral("[rollback]"), {{"window_hours", d.windowHours}});
}

PlanProblem checkPlanText(const QString& text, const QString& file) {
    const std::filesystem::path path = file.isEmpty() ? std::filesystem::path("plan.toml") : std::filesystem::path(file.toStdString());
    const Result<Plan> plan = parsePlan(text.toStdString(), path, path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
    if (plan.ok()) {
        return {};
    }
    PlanProblem problem{safeText(plan.error().text()), 0};
    // "FILE:LINE: KEY RULE": the file's name may hold colons too, so the line is looked for behind it.
    const QString head = safeText(path.string()) + QLatin1Char(':');
    if (problem.text.startsWith(head)) {
        problem.text.remove(0, head.size());
    }
    static const QRegularExpression line(QStringLiteral("^(\\d+): "));
    if (const auto match = line.match(problem.text); match.hasMatch()) {
        problem.line = match.captured(1).toInt();
    }
    return problem;
}

} // namespace tealdeck
