// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/console.h"

#include "app/console/main_window.h"
#include "app/console/picture_taker.h"
#include "app/console/plan_wizard.h"
#include "app/console/recent_files.h"
#include "app/console/replay_pdf.h"
#include "app/console/start_window.h"
#include "widgets/theme/theme.h"

#include <QApplication>
#include <QDir>
#include <QFile>
#include <QFileDialog>
#include <QLoggingCategory>
#include <QSettings>
#include <QThread>

#include <chrono>
#include <cstdio>

namespace tealdeck {
namespace {

Q_LOGGING_CATEGORY(startLog, "tealdeck.start", QtWarningMsg)

/// Says once when a window's first paint has gone to the screen, in microseconds of the steady clock: for who measures the start, with
/// QT_LOGGING_RULES=tealdeck.start.debug=true.
class FirstPaint final : public QObject {
  public:
    explicit FirstPaint(QWidget* window) : QObject(window) { window->installEventFilter(this); }
    bool eventFilter(QObject* window, QEvent* event) override {
        if (event->type() == QEvent::Paint) {
            window->removeEventFilter(this);
            QTimer::singleShot(0, this, [] { // the window was flushed by then
                const auto now = std::chrono::steady_clock::now().time_since_epoch();
                qCDebug(startLog) << "first paint at" << std::chrono::duration_cast<std::chrono::microseconds>(now).count();
            });
        }
        return false;
    }
};

} // namespace

Console::Console(Options options, QObject* parent) : QObject(parent), m_options(std::move(options)) {
    if (!m_options.headless()) {
        m_settings = std::make_unique<QSettings>();
        m_theme = themeFromId(m_settings->value(QStringLiteral("theme")).toString()).value_or(ThemeName::Light);
        m_zoom = std::clamp(m_settings->value(QStringLiteral("zoom"), 1.0).toDouble(), 0.7, 2.5);
    }
    m_theme = m_options.theme.value_or(m_theme);
    // Pictures are made the same everywhere: English, unless they are wanted otherwise.
    const QString kept = m_settings ? m_settings->value(QStringLiteral("language")).toString() : QStringLiteral("en");
    if (m_catalogue.loadLanguage(chooseLanguage(m_options.language.isEmpty() ? kept : m_options.language))) {
        QCoreApplication::installTranslator(&m_catalogue);
    }
    applyTheme(*qApp, m_theme, m_zoom);
    if (m_settings) {
        m_lostPlan = m_settings->value(QStringLiteral("attached")).toString(); // still there: the program did not end as it should
        connect(qApp, &QCoreApplication::aboutToQuit, this, [this] { m_settings->remove(QStringLiteral("attached")); });
    }
    connect(&m_launcher, &EngineLauncher::ready, this, [this](const QString& socket) { openSession(liveSession(socket, m_options.actor, m_options.observer, m_plan)); });
    connect(&m_launcher, &EngineLauncher::failed, this, &Console::fail);
    connect(&m_restarter, &EngineLauncher::failed, this, &Console::fail); // when it succeeds, the window finds the engine by itself
}

Console::~Console() {
    if (m_load.state() != QProcess::NotRunning) {
        m_load.terminate();
        m_load.waitForFinished(2000);
    }
    delete m_window;
    delete m_start;
}

void Console::begin() {
    if (!m_options.report.isEmpty()) {
        QMetaObject::invokeMethod(this, &Console::makeReport, Qt::QueuedConnection); // ends the program, which has to run for that
    } else if (!m_options.socket.isEmpty()) {
        openSession(liveSession(m_options.socket, m_options.actor, m_options.observer));
    } else if (!m_options.engineCommand.isEmpty()) {
        openSession(commandSession(QProcess::splitCommand(m_options.engineCommand), m_options.actor, m_options.observer));
    } else if (!m_options.plan.isEmpty()) {
        showStart();
        openPlan(m_options.plan);
    } else if (!m_options.replay.isEmpty()) {
        showStart();
        openRecording(m_options.replay);
    } else {
        showStart();
        if (m_options.headless()) {
            QTimer::singleShot(m_options.grabAfterMs, this, [this] {
                const bool saved = m_start->grab().save(m_options.grab, "PNG");
                if (!saved) {
                    std::fprintf(stderr, "The picture %s could not be written.\n", qPrintable(m_options.grab));
                }
                QApplication::exit(saved ? 0 : 2);
            });
        }
    }
}

void Console::makeReport() { QApplication::exit(writePdfReport(m_options.replay, m_options.report)); }

void Console::showStart() {
    m_start = new StartWindow;
    connect(m_start, &StartWindow::openPlanRequested, this, [this] { chooseFile(tr("Open a plan"), tr("Plans (*.toml)")); });
    connect(m_start, &StartWindow::openRecordingRequested, this, [this] { chooseFile(tr("Open a recording"), tr("Recordings (*.teal)")); });
    connect(m_start, &StartWindow::fileChosen, this, &Console::openFile);
    connect(m_start, &StartWindow::newPlanRequested, this, [this] { openWizard({}); });
    connect(m_start, &StartWindow::labReady, this, &Console::openLab);
    if (!m_lostPlan.isEmpty() && QFileInfo::exists(m_lostPlan)) {
        m_start->offerAgain(m_lostPlan);
    }
    m_lostPlan.clear();
    place(m_start, 820, 600);
}

void Console::place(QWidget* window, int width, int height) {
    if (startLog().isDebugEnabled()) {
        new FirstPaint(window);
    }
    if (m_options.width == 0 && m_settings && window->testAttribute(Qt::WA_Resized)) {
        window->show(); // where and as large as it was last time
        return;
    }
    window->resize(m_options.width > 0 ? m_options.width : width, m_options.height > 0 ? m_options.height : height);
    window->show();
}

void Console::chooseFile(const QString& title, const QString& filter) {
    QWidget* parent = m_window ? static_cast<QWidget*>(m_window) : m_start;
    auto* dialog = new QFileDialog(parent, title, {}, filter);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, &Console::openFile);
    dialog->setModal(false); // the live window stays usable
    dialog->show();
}

void Console::openFile(const QString& file) {
    file.endsWith(QLatin1String(".toml"), Qt::CaseInsensitive) ? openPlan(file) : openRecording(file);
}

void Console::openPlan(const QString& plan) {
    if (m_start) {
        m_start->showBusy(tr("Looking for the engine of %1 …").arg(plan));
    }
    if (!m_options.headless()) {
        rememberFile(plan);
    }
    m_plan = plan;
    m_launcher.open(plan);
}

void Console::openWizard(const QString& plan) {
    auto* wizard = new PlanWizard;
    connect(wizard, &PlanWizard::openWanted, this, &Console::openPlan);
    if (!plan.isEmpty()) {
        QFile file(plan);
        if (!file.open(QIODevice::ReadOnly) || file.size() > 1'000'000) {
            fail(tr("%1 can't be read as a plan: %2.").arg(plan, file.errorString()));
            delete wizard;
            return;
        }
        wizard->edit(QString::fromUtf8(file.readAll()), plan);
    }
    wizard->show();
}

void Console::openLab(const QString& plan, const QString& folder) {
    const QString ctl = QDir(QCoreApplication::applicationDirPath()).filePath(QStringLiteral("tealctl"));
    if (m_load.state() == QProcess::NotRunning && QFileInfo::exists(ctl)) {
        m_load.setStandardOutputFile(QProcess::nullDevice());
        m_load.setStandardErrorFile(QProcess::nullDevice());
        m_load.start(ctl, {QStringLiteral("lab"), QStringLiteral("load"), QStringLiteral("--dir"), folder, QStringLiteral("--clients"), QStringLiteral("4"), QStringLiteral("--rate"),
                           QStringLiteral("60"), QStringLiteral("--seconds"), QStringLiteral("7200")});
    }
    openPlan(plan);
}

void Console::openRecording(const QString& file) {
    if (m_start) {
        m_start->showBusy(tr("Opening %1 …").arg(file));
    }
    // Copying a large one takes a moment: a thread of its own hands the result back.
    QThread* thread = QThread::create([self = QPointer<Console>(this), file] {
        auto loaded = std::make_shared<Result<std::shared_ptr<const ReplayArchive>>>(openArchive(file.toStdString()));
        QMetaObject::invokeMethod(qApp, [self, file, loaded] {
            if (self) {
                self->takeArchive(file, *loaded);
            }
        });
    });
    connect(thread, &QThread::finished, thread, &QObject::deleteLater);
    thread->start();
}

void Console::takeArchive(const QString& file, const Result<std::shared_ptr<const ReplayArchive>>& loaded) {
    if (!loaded) {
        fail(safeText(loaded.error().text()));
        return;
    }
    if (!m_options.headless()) {
        rememberFile(file);
    }
    Session session = replaySession(loaded.value(), QFileInfo(file).fileName(), Clock::system(), file, m_options.actor);
    if (m_options.headless()) {
        session.replay->takeStudy(studyRecording(file.toStdString())); // a picture shows everything
    } else {
        studyInBackground(this, file.toStdString(), [replay = std::weak_ptr(session.replay)](std::shared_ptr<const ReplayStudy> study) {
            if (const auto open = replay.lock()) {
                open->takeStudy(std::move(study));
            }
        });
    }
    openSession(std::move(session));
}

void Console::openSession(Session session) {
    if (m_settings && !session.plan.isEmpty()) {
        m_settings->setValue(QStringLiteral("attached"), session.plan);
        m_settings->sync(); // a crash asks nobody
    }
    // One window a session: a recording opened beside a live one gets its own.
    auto* window = new MainWindow(std::move(session), Clock::system(), m_settings.get());
    if (m_window) {
        window->setAttribute(Qt::WA_DeleteOnClose);
    } else {
        m_window = window;
    }
    connect(window, &MainWindow::themeRequested, this, &Console::setTheme);
    connect(window, &MainWindow::zoomRequested, this, &Console::setZoom);
    connect(window, &MainWindow::languageRequested, this, &Console::setLanguage);
    connect(window, &MainWindow::engineWanted, &m_restarter, &EngineLauncher::open);
    connect(window, &MainWindow::openRequested, this, [this] { chooseFile(tr("Open a recording"), tr("Recordings (*.teal)")); });
    connect(window, &MainWindow::openPlanRequested, this, [this] { chooseFile(tr("Open a plan"), tr("Plans (*.toml)")); });
    connect(window, &MainWindow::newPlanRequested, this, [this] { openWizard({}); });
    connect(window, &MainWindow::editPlanRequested, this, &Console::openWizard);
    connect(window, &MainWindow::recentRequested, this, &Console::openFile);
    connect(window, &MainWindow::fileDropped, this, &Console::openFile);
    place(window, 1600, 1000);
    window->start();
    if (m_options.atUs && window->isReplay()) {
        window->replay()->seek(*m_options.atUs);
    }
    if (m_start) {
        m_start->hide();
        m_start->deleteLater();
    }
    if (m_options.headless() && window == m_window) {
        takePictures(window);
    }
}

void Console::takePictures(MainWindow* window) {
    if (!m_options.pictures.isEmpty()) {
        m_pictures = new PictureTaker(*window, m_options.pictures, this);
        connect(&window->bridge(), &EngineBridge::stateChanged, this, [this, window] {
            if (window->bridge().state() == SourceState::Ended) {
                finish();
            }
        });
        connect(window, &MainWindow::sessionOver, this, &Console::finish);
        if (window->isReplay()) {
            connect(window->replay().get(), &ReplaySource::playingChanged, this, [this](bool playing) {
                if (!playing) {
                    finish();
                }
            });
            window->replay()->setPlaying(true);
        }
    }
    if (!m_options.grab.isEmpty()) {
        QTimer::singleShot(m_options.grabAfterMs, window, [this, window] {
            window->drawNow();
            QTimer::singleShot(50, window, [this, window] { // the queued replot
                m_grabbed = PictureTaker::save(*window, m_options.grab);
                if (m_options.pictures.isEmpty()) {
                    finish();
                }
            });
        });
    }
}

void Console::finish() {
    if (m_finished) {
        return;
    }
    m_finished = true;
    if (m_pictures) {
        m_pictures->finish();
    }
    const bool grabFailed = !m_options.grab.isEmpty() && m_window && !m_grabbed && !PictureTaker::save(*m_window, m_options.grab);
    if (grabFailed) {
        std::fprintf(stderr, "The picture %s could not be written.\n", qPrintable(m_options.grab));
    }
    QApplication::exit(grabFailed ? 2 : 0);
}

void Console::fail(const QString& reason) {
    if (m_options.headless()) {
        std::fprintf(stderr, "%s\n", qPrintable(reason));
        QApplication::exit(2);
        return;
    }
    if (m_window) {
        m_window->notify(reason);
        return;
    }
    if (!m_start) {
        showStart();
    }
    m_start->showProblem(reason);
}

void Console::setTheme(ThemeName theme) {
    m_theme = theme;
    applyTheme(*qApp, m_theme, m_zoom);
    if (m_settings) {
        m_settings->setValue(QStringLiteral("theme"), QLatin1String(themeId(theme)));
    }
}

void Console::setZoom(double factor) {
    m_zoom = factor == 0 ? 1 : std::clamp(m_zoom * factor, 0.7, 2.5);
    applyTheme(*qApp, m_theme, m_zoom);
    if (m_settings) {
        m_settings->setValue(QStringLiteral("zoom"), m_zoom);
    }
}

void Console::setLanguage(const QString& language) {
    if (m_settings) {
        m_settings->setValue(QStringLiteral("language"), language);
    }
    if (m_window) {
        m_window->notify(tr("The language changes when Tealdeck is started again; the upgrade does not notice."));
    }
}

} // namespace tealdeck
