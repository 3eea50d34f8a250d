// SPDX-License-Identifier: GPL-3.0-or-later
// Opens a recording in the replay window, without a display: replay_bench FILE; prints one JSON object. Used by tests/perf/run.
#include "app/console/main_window.h"
#include "widgets/theme/theme.h"

#include <QApplication>
#include <QElapsedTimer>

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <random>

using namespace tealdeck;

namespace {

constexpr int SEEKS = 100;
constexpr std::int64_t FRAMES_US = 30'000; ///< of wall time between two frames, as the window plays

/// Peak of the memory that this process had resident, in MiB.
double peakMib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("VmHWM:", 0) == 0) {
            return std::atof(line.c_str() + 6) / 1024;
        }
    }
    return 0;
}

/// Counts what the widgets paint.
class Paints final : public QObject {
  public:
    bool eventFilter(QObject*, QEvent* event) override {
        count += event->type() == QEvent::Paint ? 1 : 0;
        return false;
    }
    int count = 0;
};

/// Everything that is due is done, and painted as a screen has it painted: what changed, once.
void repaint() {
    QCoreApplication::processEvents();
    QCoreApplication::processEvents(); // what the first round asked to be painted
}

double at(std::vector<double> times, double part) {
    std::sort(times.begin(), times.end());
    return times[std::min(times.size() - 1, static_cast<std::size_t>(part * static_cast<double>(times.size())))];
}

double millis(const QElapsedTimer& timer) { return static_cast<double>(timer.nsecsElapsed()) / 1e6; }

} // namespace

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    if (argc != 2) {
        std::fprintf(stderr, "usage: replay_bench FILE\n");
        return 2;
    }
    applyTheme(application, ThemeName::Light);
    Paints paints;
    application.installEventFilter(&paints);
    QElapsedTimer timer;
    timer.start();
    const auto archive = openArchive(argv[1]);
    if (!archive) {
        std::fprintf(stderr, "%s\n", archive.error().text().c_str());
        return 1;
    }
    MainWindow window(replaySession(*archive, QStringLiteral("bench"), Clock::system()), Clock::system());
    window.resize(1600, 1000);
    window.show();
    window.start();
    repaint();
    const double open = millis(timer);
    window.replay()->takeStudy(studyRecording(argv[1]));
    repaint();
    const double studied = millis(timer);
    std::mt19937_64 random(5);
    const std::int64_t end = (*archive)->endUs();
    std::vector<double> seeks;
    paints.count = 0;
    for (int i = 0; i < SEEKS; ++i) {
        const auto to = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end));
        timer.restart();
        window.replay()->seek(to);
        repaint();
        seeks.push_back(millis(timer));
    }
    const double paintsPerSeek = static_cast<double>(paints.count) / SEEKS;
    // As at 60 times the speed: each frame moves on by what 30 ms of a wall clock are.
    window.replay()->seek(end / 2);
    std::vector<double> frames;
    for (int i = 0; i < SEEKS; ++i) {
        timer.restart();
        window.replay()->playTo(window.replay()->positionUs() + 60 * FRAMES_US);
        repaint();
        frames.push_back(millis(timer));
    }
    fmt::print("{}\n", dumpJson({{"open_ms", open},
                                 {"studied_ms", studied},
                                 {"seek_p50_ms", at(seeks, 0.5)},
                                 {"seek_paints", paintsPerSeek},
                                 {"seek_p99_ms", at(seeks, 0.99)},
                                 {"frame_p50_ms", at(frames, 0.5)},
                                 {"frame_p99_ms", at(frames, 0.99)},
                                 {"frames_a_second", 1000 / at(frames, 0.5)},
                                 {"peak_mib", peakMib()}}));
    return 0;
}
