// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/engine_launcher.h"
#include "app/console/language.h"
#include "app/console/options.h"
#include "app/console/session.h"

#include <QObject>
#include <QPointer>
#include <QProcess>
#include <QSettings>

#include <memory>

namespace tealdeck {

class MainWindow;
class PictureTaker;
class StartWindow;

/// The program around the windows: opens what the command line or a person asks for, keeps theme and text size, takes pictures, ends.
class Console final : public QObject {
    Q_OBJECT
  public:
    Console(Options options, QObject* parent = nullptr);
    ~Console() override;
    void begin();
    /// A signal or the end of a session: pictures are finished, then the program ends.
    void finish();

  private:
    void showStart();
    void openFile(const QString& file);
    void openPlan(const QString& plan);
    void openRecording(const QString& file);
    void makeReport();
    void openWizard(const QString& plan);
    void openLab(const QString& plan, const QString& folder);
    void takeArchive(const QString& file, const Result<std::shared_ptr<const ReplayArchive>>& loaded);
    void openSession(Session session);
    void takePictures(MainWindow* window);
    void fail(const QString& reason);
    void chooseFile(const QString& title, const QString& filter);
    void setTheme(ThemeName theme);
    void setZoom(double factor);
    void setLanguage(const QString& language);
    void place(QWidget* window, int width, int height);

    Options m_options;
    std::unique_ptr<QSettings> m_settings; ///< nullptr: nothing is read or kept
    Catalogue m_catalogue;
    ThemeName m_theme = ThemeName::Light;
    double m_zoom = 1;
    EngineLauncher m_launcher;  ///< of a plan that is being opened
    EngineLauncher m_restarter; ///< of an engine that a window has lost
    QString m_plan; ///< last opened
    QString m_lostPlan; ///< was open when the program died last time
    QPointer<StartWindow> m_start;
    QPointer<MainWindow> m_window;
    QPointer<PictureTaker> m_pictures;
    QProcess m_load; ///< the practice lab's clients; end with the program
    bool m_grabbed = false;
    bool m_finished = false;
};

} // namespace tealdeck
