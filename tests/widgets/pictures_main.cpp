// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures of the window over a made-up upgrade: `console_pictures DIR [THEME] [WxH] [replicas] [zoom]`. For eyes, not for ctest.
#include "app/console/main_window.h"
#include "tests/widgets/replay_fixture.h"
#include "tests/widgets/scripted_upgrade.h"
#include "widgets/status/confirm_control.h"
#include "widgets/status/next_act_panel.h"
#include "widgets/theme/theme.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QTableView>

using namespace tealdeck;

namespace {

void settle(int ms) {
    QElapsedTimer timer;
    timer.start();
    while (timer.elapsed() < ms) {
        QApplication::processEvents(QEventLoop::AllEvents, 10);
    }
}

void save(MainWindow& window, const QString& name) {
    settle(250);
    window.drawNow();
    settle(60);
    window.grab().save(name);
}

} // namespace

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    const QStringList args = QApplication::arguments();
    const QString folder = args.value(1, QStringLiteral("."));
    const QStringList size = args.value(3, QStringLiteral("1600x1000")).split('x');
    const QString tag = QStringLiteral("%1-%2").arg(args.value(2, QStringLiteral("light")), size[0]);
    applyTheme(application, themeFromId(args.value(2)).value_or(ThemeName::Light), args.value(5, QStringLiteral("1")).toDouble());
    const auto events = test::scriptedUpgrade(args.value(4, QStringLiteral("2")).toInt());
    auto source = std::make_shared<test::ScriptedSource>(events);
    MainWindow window({source, {}, {}, {}, QStringLiteral("anna"), false}, Clock::system());
    window.resize(size[0].toInt(), size[1].toInt());
    window.show();
    window.start();
    save(window, folder + "/" + tag + "-0-empty.png");
    const std::pair<Phase, const char*> moments[] = {{Phase::Preflight, "1-preflight"}, {Phase::Replicate, "2-replicate"}, {Phase::Ramp, "3-ramp"}, {Phase::Observe, "5-observe"}, {Phase::Finalized, "7-finalized"}};
    for (const auto& [phase, name] : moments) {
        source->playTo(test::phaseTime(events, phase) + (phase == Phase::Ramp ? 128'000'000 : 18'000'000));
        if (phase == Phase::Preflight) {
            settle(700);
            window.findChild<QTableView*>(QStringLiteral("checklistTable"))->selectRow(0);
        }
        save(window, folder + "/" + tag + "-" + name + ".png");
        if (phase == Phase::Ramp) {
            source->playTo(test::phaseTime(events, Phase::Cutover) - 1);
            settle(700);
            window.nextAct()->confirm()->armButton()->click();
            save(window, folder + "/" + tag + "-3b-armed.png");
            source->playTo(test::phaseTime(events, Phase::Cutover) + 18'000);
            save(window, folder + "/" + tag + "-4-cutover.png");
        }
    }
    MainWindow replay(test::replayOf(events, QStringLiteral("shop_upgrade.teal")), Clock::system());
    replay.resize(size[0].toInt(), size[1].toInt());
    replay.show();
    replay.start();
    replay.replay()->seek(test::phaseTime(events, Phase::Ramp) + 130'000'000);
    save(replay, folder + "/" + tag + "-8-replay.png");
    return 0;
}
