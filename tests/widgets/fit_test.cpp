// SPDX-License-Identifier: GPL-3.0-or-later
// No text is cut, from a small screen to a large one, with normal and with doubled text; what matters most stays in sight.
#include "app/console/main_window.h"
#include "app/console/plan_wizard.h"
#include "app/console/start_window.h"
#include "app/console/window_layout.h"
#include "tests/widgets/scripted_upgrade.h"
#include "widgets/a11y/list_table.h"
#include "widgets/plot/lag_plots.h"
#include "widgets/status/confirm_control.h"
#include "widgets/status/mode_strip.h"
#include "widgets/status/next_act_panel.h"
#include "widgets/theme/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <gtest/gtest.h>

using namespace tealdeck;
using test::ScriptedSource;

namespace {

/// What a person sees of a widget, in the window's coordinates: its parents cut it.
QRect seen(const QWidget* widget, const QWidget* window) {
    QRect box(widget->mapTo(window, QPoint(0, 0)), widget->size());
    for (const QWidget* parent = widget->parentWidget(); parent != nullptr; parent = parent == window ? nullptr : parent->parentWidget()) {
        if (qobject_cast<const QScrollArea*>(parent->parentWidget()) != nullptr) {
            return QRect(widget->mapTo(window, QPoint(0, 0)), widget->size()); // can be scrolled into sight
        }
        box &= QRect(parent->mapTo(window, QPoint(0, 0)), parent->size());
    }
    return box;
}

void expectNothingCut(QWidget& window, const std::string& where) {
    for (const QWidget* widget : window.findChildren<QWidget*>()) {
        const auto* label = qobject_cast<const QLabel*>(widget);
        const auto* button = qobject_cast<const QPushButton*>(widget);
        const auto* box = qobject_cast<const QCheckBox*>(widget);
        if (!widget->isVisible() || (label == nullptr && button == nullptr && box == nullptr)) {
            continue;
        }
        const QString text = label != nullptr ? label->text() : button != nullptr ? button->text() : box->text();
        const QSize needed = label != nullptr && label->wordWrap() ? QSize(0, label->heightForWidth(label->width())) : widget->minimumSizeHint();
        const QRect box2 = seen(widget, &window);
        EXPECT_GE(box2.width() + 1, needed.width()) << where << ": " << text.toStdString();
        EXPECT_GE(box2.height() + 1, needed.height()) << where << ": " << text.toStdString();
    }
}

} // namespace

TEST(Fit, NoTextIsCutFromASmallScreenToALargeOneWithDoubledText) {
    const auto events = test::scriptedUpgrade();
    for (const double zoom : {1.0, 2.0}) {
        applyTheme(*qApp, ThemeName::Light, zoom);
        auto source = std::make_shared<ScriptedSource>(events);
        MainWindow window({source, {}, {}, {}, "anna", false, "/plans/shop.toml"}, Clock::system());
        window.resize(800, 600);
        window.show();
        window.start();
        source->playTo(test::phaseTime(events, Phase::Cutover) - 1);
        ASSERT_TRUE(QTest::qWaitFor([&] { return window.bridge().snapshot().phase == Phase::Ramp; }, 5000));
        for (const QSize size : {QSize(800, 600), QSize(1280, 720), QSize(1920, 1080), QSize(3840, 2160)}) {
            window.resize(size);
            for (int i = 0; i < 3; ++i) {
                QApplication::processEvents(); // the layout is chosen in an event of its own
            }
            EXPECT_EQ(window.size(), size) << "the window does not fit this screen with text " << zoom;
            const std::string where = QString("%1x%2 text %3").arg(size.width()).arg(size.height()).arg(zoom).toStdString();
            expectNothingCut(window, where);
            for (const QWidget* vital : {static_cast<QWidget*>(window.findChild<ModeStrip*>()), static_cast<QWidget*>(window.findChild<ModeStrip*>()->abortButton()),
                                         static_cast<QWidget*>(window.nextAct()->confirm()->holdButton())}) {
                EXPECT_TRUE(vital->isVisible());
                EXPECT_TRUE(window.rect().contains(QRect(vital->mapTo(&window, QPoint(0, 0)), vital->size()))) << where << ' ' << vital->metaObject()->className();
            }
        }
    }
    applyTheme(*qApp, ThemeName::Light);
}

TEST(Fit, TheFirstWindowAndThePlanWizardCutNothingEither) {
    for (const double zoom : {1.0, 2.0}) {
        applyTheme(*qApp, ThemeName::Light, zoom);
        StartWindow start;
        PlanWizard wizard;
        for (QWidget* window : {static_cast<QWidget*>(&start), static_cast<QWidget*>(&wizard)}) {
            window->setAttribute(Qt::WA_DeleteOnClose, false);
            window->show();
            window->resize(800, 600);
            for (int page = 0; page < (window == &wizard ? PlanWizard::PageCount : 1); ++page) {
                wizard.goTo(page);
                for (int i = 0; i < 3; ++i) {
                    QApplication::processEvents();
                }
                EXPECT_EQ(window->size(), QSize(800, 600)) << "it does not fit this screen with text " << zoom;
                expectNothingCut(*window, QString("%1, page %2, text %3").arg(window->windowTitle()).arg(page).arg(zoom).toStdString());
            }
        }
    }
    applyTheme(*qApp, ThemeName::Light);
}

TEST(Fit, TheTestSeesACutText) {
    QWidget window;
    window.resize(40, 20);
    QLabel label("a text that has no room here", &window);
    label.resize(400, 20);
    window.show();
    EXPECT_LT(seen(&label, &window).width(), label.minimumSizeHint().width());
}

TEST(Layout, SmallScreensGetTabsAndLargeOnesEverything) {
    auto source = std::make_shared<ScriptedSource>(test::scriptedUpgrade());
    MainWindow window({source, {}, {}, {}, "anna", false}, Clock::system());
    window.resize(800, 600);
    window.show();
    window.start();
    ASSERT_TRUE(QTest::qWaitFor([&] { return window.panels()->isNarrow(); }, 5000));
    auto* events = window.findChild<ListTable*>("eventTable");
    EXPECT_FALSE(events->isVisible());
    window.panels()->raisePanel(events);
    EXPECT_TRUE(events->isVisible());
    window.resize(1600, 1000);
    ASSERT_TRUE(QTest::qWaitFor([&] { return !window.panels()->isNarrow(); }, 5000));
    EXPECT_TRUE(window.findChild<LagPlots*>()->isVisible());
    EXPECT_TRUE(events->isVisible());
}

TEST(Layout, SizesOfAPersonComeBackAndTheDefaultCanBeRestored) {
    QTemporaryDir folder;
    QSettings settings(folder.filePath("settings.ini"), QSettings::IniFormat);
    QByteArray state;
    {
        MainWindow window({std::make_shared<ScriptedSource>(test::scriptedUpgrade()), {}, {}, {}, "anna", true}, Clock::system(), &settings);
        window.resize(780, 590); // fits the screen of a test
        window.show();
        QApplication::processEvents();
        window.close();
    }
    EXPECT_TRUE(settings.contains("live/panels"));
    EXPECT_TRUE(settings.contains("live/geometry"));
    MainWindow window({std::make_shared<ScriptedSource>(test::scriptedUpgrade()), {}, {}, {}, "anna", true}, Clock::system(), &settings);
    EXPECT_EQ(window.size(), QSize(780, 590));
    EXPECT_FALSE(window.panels()->restore("not a layout"));
}
