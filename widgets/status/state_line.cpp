// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/status/state_line.h"

#include "widgets/status/phase_rail.h"
#include "widgets/theme/theme.h"

#include <QCoreApplication>

#include <algorithm>

namespace tealdeck {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("StateLine", text); }

StateLine runningLine(const StepState& step, const QString& command, const ViewTime& now) {
    StateLine line;
    line.head = QStringLiteral("%1: %2").arg(command, safeText(step.title.empty() ? step.id : step.title));
    line.progress = step.progress;
    QStringList parts;
    parts << (step.waitingFor.empty() ? tr("working") : tr("waits for %1").arg(safeText(step.waitingFor)));
    const QString limit = step.limitMs > 0 ? tr(" of at most %1").arg(formatSeconds(static_cast<double>(step.limitMs) / 1000)) : QString();
    parts << tr("for %1%2").arg(formatDuration(now.steadyUs - step.startedUs), limit);
    if (!step.detail.empty()) {
        parts << safeText(step.detail);
    }
    line.detail = parts.join(QStringLiteral(", "));
    if (!step.onTimeout.empty()) {
        line.detail += tr(". When the limit passes: %1").arg(safeText(step.onTimeout));
    }
    return line;
}

StateLine idleLine(const Snapshot& s, const ViewTime& now) {
    StateLine line;
    line.head = tr("%1, idle for %2").arg(phaseTitle(s.phase), formatDuration(now.steadyUs - s.phaseSinceUs));
    line.detail = safeText(s.phaseReason);
    return line;
}

} // namespace

StateLine stateLine(const Snapshot& s, const ViewTime& now) {
    if (s.seq == 0) {
        return {tr("Nothing is known yet"), tr("Waiting for the engine's first report."), false, -1};
    }
    const QString command = s.busyWith.empty() ? QString() : QString::fromStdString(s.busyWith).replace(0, 1, QString::fromStdString(s.busyWith).left(1).toUpper());
    const auto running = std::find_if(s.steps.rbegin(), s.steps.rend(), [](const StepState& step) { return step.state == "running"; });
    if (!s.busyWith.empty() && running != s.steps.rend()) {
        return runningLine(*running, command, now);
    }
    const auto failed = std::find_if(s.steps.rbegin(), s.steps.rend(), [](const StepState& step) { return step.state == "failed"; });
    if (failed != s.steps.rend()) {
        StateLine line = s.busyWith.empty() ? idleLine(s, now) : StateLine{command, tr("working"), false, -1};
        line.failed = true;
        line.detail = tr("Failed: %1. %2").arg(safeText(failed->title), safeText(failed->detail));
        return line;
    }
    if (!s.busyWith.empty()) {
        return {command, tr("working"), false, -1};
    }
    return idleLine(s, now);
}

} // namespace tealdeck
