// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/rehearsal_guide.h"

#include <QCoreApplication>

#include <algorithm>

namespace tealdeck {
namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("RehearsalGuide", text);
}

std::size_t moves(const Snapshot& s, const char* direction) {
    return static_cast<std::size_t>(
        std::count_if(s.switches.begin(), s.switches.end(), [&](const SwitchReport& r) { return r.ok && r.direction == direction; }));
}

} // namespace

std::vector<Fact> rehearsalFacts(const Snapshot& s) {
    struct Station {
        const char* key;
        bool behind;
        QString what;
        QString how;
    };
    const bool moved = moves(s, "cutover") > 0;
    const bool filled =
        moved || s.phase == Phase::Validate || s.phase == Phase::Ramp || s.phase == Phase::Cutover || s.phase == Phase::RolledBack;
    const std::vector<Station> stations = {
        {"check", s.phase != Phase::Plan, tr("Ask the checklist"),
         tr("Next: “Run the checklist”. Then choose a line of it to see why it is asked and how to fix it.")},
        {"replicate", filled, tr("Fill GREEN"), tr("Next: “Replicate to GREEN”, arm, then hold. Watch the lag fall in the plots.")},
        {"ramp", moved || s.traffic.readsGreenTarget > 0, tr("Send some reads to GREEN"),
         tr("Press 10 % beside “Reads on GREEN”; 0 % takes it back.")},
        {"cutover", moved, tr("Move the writes"),
         tr("Next: “Cut over to GREEN”: arm, then hold 1.5 s. The write pause is told in the events.")},
        {"rollback", moves(s, "rollback") > 0, tr("Go back, without a loss"),
         tr("Next: “Roll back to BLUE”: the way back was built before GREEN opened.")},
        {"again", moves(s, "cutover") > 1, tr("Move the writes again"),
         tr("As before. Meanwhile kill this window, if you like: the engine does not notice.")},
        {"finalize", s.phase == Phase::Finalized, tr("Close the way back"),
         tr("“Finalize on GREEN” asks for the deployment's name and a reason: it can't be taken back.")},
    };
    std::vector<Fact> facts;
    bool next = true;
    for (const Station& station : stations) {
        const bool now = next && !station.behind;
        facts.push_back({station.key,
                         {(station.behind ? QStringLiteral("✓ ")
                           : now          ? QStringLiteral("▶ ")
                                          : QStringLiteral("   ")) +
                              station.what,
                          now ? station.how : QString()},
                         false,
                         now});
        next = next && !now;
    }
    return facts;
}

} // namespace tealdeck
