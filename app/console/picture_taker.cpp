// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/picture_taker.h"

#include "widgets/status/next_act_panel.h"

#include <QDir>
#include <QPixmap>
#include <QTimer>

#include <cstdio>

namespace tealdeck {
namespace {

constexpr int SETTLED_MS = 1500;
constexpr int ARMED_MS = 300;

} // namespace

PictureTaker::PictureTaker(MainWindow& window, QString folder, QObject* parent) : QObject(parent), m_window(window), m_folder(std::move(folder)) {
    QDir().mkpath(m_folder);
    connect(&window.bridge(), &EngineBridge::snapshotChanged, this, &PictureTaker::look);
    connect(window.nextAct(), &NextActPanel::armedChanged, this, [this](bool armed) {
        if (armed) {
            takeLater(QStringLiteral("armed-") + QString::fromLatin1(commandName(m_window.nextAct()->shownAct())), ARMED_MS);
        }
    });
}

void PictureTaker::look() {
    const Snapshot& snapshot = m_window.bridge().snapshot();
    if (snapshot.seq == 0) {
        return;
    }
    if (m_phase != snapshot.phase) {
        m_phase = snapshot.phase;
        // A cutover takes less than the time to settle: its picture is taken while it runs.
        takeLater(QStringLiteral("phase-") + QString::fromLatin1(phaseName(snapshot.phase)), snapshot.phase == Phase::Cutover ? 0 : SETTLED_MS);
    }
    if (snapshot.switches.size() > m_switches) {
        m_switches = snapshot.switches.size();
        const SwitchReport& last = snapshot.switches.back();
        takeLater(QStringLiteral("%1-%2").arg(QString::fromStdString(last.direction), last.ok ? QStringLiteral("done") : QStringLiteral("failed")), SETTLED_MS);
    }
}

void PictureTaker::takeLater(const QString& name, int afterMs) {
    if (afterMs == 0) {
        take(name);
        return;
    }
    if (m_waiting.insert(name).second) {
        QTimer::singleShot(afterMs, this, [this, name] {
            m_waiting.erase(name);
            take(name);
        });
    }
}

bool PictureTaker::save(MainWindow& window, const QString& file) {
    window.drawNow();
    return window.grab().save(file, "PNG");
}

void PictureTaker::take(const QString& name) {
    QString safe = name;
    for (QChar& c : safe) {
        c = c.isLetterOrNumber() && c.unicode() < 128 ? c : QLatin1Char('-');
    }
    const QString file = QDir(m_folder).filePath(QStringLiteral("%1-%2.png").arg(m_files.size() + 1, 2, 10, QLatin1Char('0')).arg(safe));
    if (save(m_window, file)) {
        m_files << file;
    } else {
        std::fprintf(stderr, "The picture %s could not be written.\n", qPrintable(file));
    }
}

void PictureTaker::finish() {
    take(QStringLiteral("end"));
    for (const QString& file : m_files) {
        std::printf("%s\n", qPrintable(file));
    }
    std::fflush(stdout);
}

} // namespace tealdeck
