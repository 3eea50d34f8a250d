// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/console.h"
#include "core/util/version.h"
#include "widgets/theme/format.h"

#include <CLI/CLI.hpp>
#include <QApplication>
#include <QFileInfo>
#include <QIcon>
#include <QSocketNotifier>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace {

int signalPipe[2] = {-1, -1};

void onSignal(int) {
    const char one = 1;
    [[maybe_unused]] const auto ignored = ::write(signalPipe[1], &one, 1); // all that a handler may do
}

/// What the parser fills: strings of the command line, turned into Options afterwards.
struct Arguments {
    std::string socket, engineCommand, plan, replay, at, theme, language, actor, grab, pictures, size, file, report;
    bool observer = false;
    int grabAfterMs = 2000;
};

void describeOptions(CLI::App& cli, Arguments& a) {
    auto* source = cli.add_option_group("source");
    source->add_option("--socket", a.socket, "Socket of a running engine");
    source->add_option("--engine-command", a.engineCommand,
                       "Program that speaks for an engine elsewhere, such as \"ssh bastion tealdeck-engine --stdio /plans/shop.toml\"");
    source->add_option("--plan", a.plan, "Plan (TOML): opens its engine, and starts it when none runs");
    source->add_option("--replay", a.replay, "Recording (*.teal) to look at");
    source->add_option("file", a.file, "A plan or a recording");
    source->require_option(0, 1);
    cli.add_option("--at", a.at, "With --replay: where to begin, HH:MM:SS.mmm");
    cli.add_option("--report", a.report, "With --replay: write its report (PDF) and end; needs no display with QT_QPA_PLATFORM=offscreen");
    cli.add_flag("--observer", a.observer, "Only watch: no controls");
    cli.add_option("--as", a.actor, "Your name in the recording");
    cli.add_option("--theme", a.theme, "light, dark, high-contrast or colour-safe")->check(CLI::IsMember({"light", "dark", "high-contrast", "colour-safe"}));
    cli.add_option("--language", a.language, "en or de; left out: as chosen in the window, else the machine's")->check(CLI::IsMember({"en", "de"}));
    cli.add_option("--size", a.size, "Size of the window, such as 1600x1000");
    cli.add_option("--grab", a.grab, "Save one picture (PNG) of the window and end");
    cli.add_option("--grab-after", a.grabAfterMs, "Milliseconds to wait before --grab")->check(CLI::Range(0, 3'600'000));
    cli.add_option("--pictures", a.pictures, "Save pictures of the main moments into this folder; ends with the session or on SIGTERM");
    cli.set_version_flag("--version", std::string("tealdeck ") + tealdeck::VERSION);
}

/// Empty when the arguments make sense; else one sentence for the person who typed them.
std::string toOptions(const Arguments& a, tealdeck::Options& o) {
    o.socket = QString::fromStdString(a.socket);
    o.engineCommand = QString::fromStdString(a.engineCommand);
    o.plan = QString::fromStdString(a.plan);
    o.replay = QString::fromStdString(a.replay);
    if (!a.file.empty()) {
        (QString::fromStdString(a.file).endsWith(QLatin1String(".toml")) ? o.plan : o.replay) = QString::fromStdString(a.file);
    }
    o.observer = a.observer;
    o.grab = QString::fromStdString(a.grab);
    o.grabAfterMs = a.grabAfterMs;
    o.pictures = QString::fromStdString(a.pictures);
    o.report = QString::fromStdString(a.report);
    o.actor = QString::fromStdString(!a.actor.empty() ? a.actor : std::getenv("USER") != nullptr ? std::getenv("USER") : "operator");
    o.language = QString::fromStdString(a.language);
    o.theme = tealdeck::themeFromId(QString::fromStdString(a.theme));
    if (!a.at.empty()) {
        o.atUs = tealdeck::parsePosition(QString::fromStdString(a.at));
        if (!o.atUs || o.replay.isEmpty()) {
            return "--at wants HH:MM:SS.mmm, such as 00:12:33.120, and a recording to go with it.";
        }
    }
    if (!o.report.isEmpty() && o.replay.isEmpty()) {
        return "--report wants a recording to go with it: --replay FILE.";
    }
    if (o.headless()) {
        o.width = 1600;
        o.height = 1000;
    }
    if (!a.size.empty() && (std::sscanf(a.size.c_str(), "%dx%d", &o.width, &o.height) != 2 || o.width < 320 || o.height < 240 || o.width > 16384 || o.height > 16384)) {
        return "--size wants WIDTHxHEIGHT, such as 1600x1000, from 320x240 to 16384x16384.";
    }
    if (!o.replay.isEmpty() && !QFileInfo::exists(o.replay)) {
        return "There is no recording " + a.replay + a.file + ". Give the path of an existing *.teal file.";
    }
    return {};
}

void endOnSignals(QApplication& application, tealdeck::Console& console) {
    if (::pipe(signalPipe) != 0) {
        return;
    }
    auto* notifier = new QSocketNotifier(signalPipe[0], QSocketNotifier::Read, &application);
    QObject::connect(notifier, &QSocketNotifier::activated, &console, [&console, notifier] {
        notifier->setEnabled(false);
        console.finish();
    });
    std::signal(SIGTERM, onSignal);
    std::signal(SIGINT, onSignal);
}

} // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    CLI::App cli("Tealdeck: flight deck for blue-green upgrades of PostgreSQL", "tealdeck");
    describeOptions(cli, arguments);
    try {
        cli.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return cli.exit(error) == 0 ? 0 : 2;
    }
    tealdeck::Options options;
    if (const std::string problem = toOptions(arguments, options); !problem.empty()) {
        std::fprintf(stderr, "%s\n", problem.c_str());
        return 2;
    }
    int qtArguments = 1; // ours are parsed; Qt's own options stay in the environment
    QApplication application(qtArguments, argv);
    QApplication::setOrganizationName(QStringLiteral("tealdeck"));
    QApplication::setApplicationName(QStringLiteral("tealdeck"));
    QApplication::setApplicationVersion(QLatin1String(tealdeck::VERSION));
    QApplication::setWindowIcon(QIcon(QStringLiteral(":/tealdeck/icons/tealdeck.svg")));
    tealdeck::Console console(options);
    endOnSignals(application, console);
    console.begin();
    return QApplication::exec();
}
