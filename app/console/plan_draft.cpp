// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/plan_draft.h"

#include "core/plan/plan.h"
#include "widgets/theme/theme.h"

#include <QFileInfo>
#include <QRegularExpression>

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

class Writer {
  public:
    void table(const char* name) { m_lines << QString() << QLatin1String(name); }
    void text(const char* key, const QString& value) {
        if (!value.isEmpty()) {
            m_lines << QStringLiteral("%1 = %2").arg(QLatin1String(key), quoted(value));
        }
    }
    void texts(const char* key, const QStringList& values) { m_lines << QStringLiteral("%1 = %2").arg(QLatin1String(key), list(values)); }
    void number(const char* key, double value) {
        m_lines << QStringLiteral("%1 = %2").arg(QLatin1String(key), QString::number(value, 'g', 12));
    }
    [[nodiscard]] QString result() const { return m_lines.join('\n') + '\n'; }

  private:
    QStringList m_lines{QStringLiteral("format = 1")};
};

void writeServer(Writer& w, const char* table, const PlanDraft::Server& s) {
    w.table(table);
    w.text("host", s.host);
    w.number("port", s.port);
    w.text("user", s.user);
    w.text("database", s.database);
    w.text("passfile", s.passfile);
    w.text("sslmode", s.sslmode);
    w.text("sslrootcert", s.sslrootcert);
    w.text("zone", s.zone);
}

} // namespace

QString planText(const PlanDraft& d) {
    Writer w;
    w.table("[deployment]");
    w.text("name", d.name);
    w.texts("databases", d.databases);
    w.table("[engine]");
    w.text("folder", d.engineFolder);
    writeServer(w, "[blue.primary]", d.blue);
    writeServer(w, "[green.primary]", d.green);
    w.table("[replication]");
    w.text("user", d.replicationUser);
    w.text("passfile", d.replicationPassfile);
    if (d.pooler) {
        w.table("[[pgbouncer]]");
        w.text("name", QStringLiteral("pooler"));
        w.text("host", d.pooler->host);
        w.number("port", d.pooler->port);
        w.text("user", d.pooler->user);
        w.text("passfile", d.pooler->passfile);
        w.text("databases_file", d.pooler->databasesFile);
        w.texts("databases", d.databases);
    }
    if (d.balancer) {
        w.table("[[haproxy]]");
        w.text("name", QStringLiteral("balancer"));
        w.text("socket", d.balancer->socket);
        w.text("backend", d.balancer->backend);
        w.texts("blue_servers", d.balancer->blueServers);
        w.texts("green_servers", d.balancer->greenServers);
        w.table("[ramp]");
        w.number("hold_seconds", d.holdSeconds);
        w.number("max_lag_seconds", d.maxLagSeconds);
    }
    w.table("[cutover]");
    w.number("budget_ms", d.budgetMs);
    w.table("[rollback]");
    w.number("window_hours", d.windowHours);
    return w.result();
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
