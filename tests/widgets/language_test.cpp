// SPDX-License-Identifier: GPL-3.0-or-later
// German is complete: every text that a person reads is in the catalogue, with the same places for values.
#include "app/console/language.h"
#include "app/console/main_window.h"
#include "core/model/outlook.h"
#include "core/model/phase.h"
#include "tests/widgets/mnemonics.h"
#include "tests/widgets/scripted_upgrade.h"
#include "widgets/plot/plot_spec.h"
#include "widgets/status/confirm_control.h"
#include "widgets/status/next_act_panel.h"

#include <QDirIterator>
#include <QFile>
#include <QMenuBar>
#include <QPushButton>
#include <QRegularExpression>
#include <gtest/gtest.h>

using namespace tealdeck;

namespace {

/// Adjacent string literals of C++ as one text.
QString unquoted(const QString& literals) {
    static const QRegularExpression one(QStringLiteral(R"re("((?:[^"\\]|\\.)*)")re"));
    QString text;
    for (auto it = one.globalMatch(literals); it.hasNext();) {
        text += it.next().captured(1);
    }
    return text.replace(QStringLiteral("\\n"), QStringLiteral("\n")).replace(QStringLiteral("\\t"), QStringLiteral("\t")).replace(QStringLiteral("\\\""), QStringLiteral("\"")).replace(QStringLiteral("\\\\"), QStringLiteral("\\"));
}

/// What stands in tr("…"), word("…") and translate("…", "…") in the sources of the window.
QStringList textsInSources() {
    static const QRegularExpression call(QStringLiteral(R"re((?:\btr|\bword)\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)[,)]|translate\(\s*"[^"]*"\s*,\s*((?:"(?:[^"\\]|\\.)*"\s*)+)[,)])re"));
    QStringList texts;
    for (const char* folder : {"/widgets", "/app/console"}) {
        QDirIterator files(QStringLiteral(TEALDECK_SOURCE_DIR) + QLatin1String(folder), {QStringLiteral("*.cpp"), QStringLiteral("*.h")}, QDir::Files, QDirIterator::Subdirectories);
        while (files.hasNext()) {
            QFile file(files.next());
            EXPECT_TRUE(file.open(QIODevice::ReadOnly));
            const QString source = QString::fromUtf8(file.readAll());
            for (auto it = call.globalMatch(source); it.hasNext();) {
                const QRegularExpressionMatch match = it.next();
                texts << unquoted(match.captured(1).isEmpty() ? match.captured(2) : match.captured(1));
            }
        }
    }
    return texts;
}

QStringList places(const QString& text) {
    static const QRegularExpression place(QStringLiteral("%\\d"));
    QStringList all;
    for (auto it = place.globalMatch(text); it.hasNext();) {
        all << it.next().captured();
    }
    all.sort();
    return all;
}

} // namespace

TEST(Language, GermanHasEveryTextOfTheWindow) {
    Catalogue german;
    ASSERT_TRUE(german.loadLanguage("de"));
    const QStringList texts = textsInSources();
    ASSERT_GT(texts.size(), 300);
    for (const QString& text : texts) {
        EXPECT_TRUE(german.has(text)) << text.toStdString();
    }
    EXPECT_FALSE(german.has("This is no text of the window.")); // must fail
}

TEST(Language, ConstantsOfCoreAreTranslatedToo) {
    Catalogue german;
    ASSERT_TRUE(german.loadLanguage("de"));
    for (const PhaseRule& rule : phaseTable()) {
        EXPECT_TRUE(german.has(QString::fromUtf8(rule.title))) << rule.title;
        EXPECT_TRUE(german.has(QString::fromUtf8(rule.consequence))) << rule.consequence;
        for (const bool past : {false, true}) {
            EXPECT_TRUE(german.has(QString::fromUtf8(abortLabel(rule.phase, past)))) << abortLabel(rule.phase, past);
        }
    }
    for (const PausePart& part : forecastPause({}, CommandKind::Cutover, 0).parts) {
        EXPECT_TRUE(german.has(QString::fromStdString(part.name))) << part.name;
    }
    for (const PlotSpec& spec : PLOTS) {
        EXPECT_TRUE(german.has(QString::fromUtf8(spec.title)) && german.has(QString::fromUtf8(spec.shortTitle)));
    }
}

TEST(Language, ValuesKeepTheirPlaces) {
    Catalogue german;
    ASSERT_TRUE(german.loadLanguage("de"));
    for (auto it = german.texts().begin(); it != german.texts().end(); ++it) {
        EXPECT_FALSE(it.value().isEmpty()) << it.key().toStdString();
        EXPECT_EQ(places(QString::fromUtf8(it.key())), places(it.value())) << it.key().toStdString();
    }
}

TEST(Language, TheWindowSpeaksGerman) {
    Catalogue german;
    ASSERT_TRUE(german.loadLanguage("de"));
    QCoreApplication::installTranslator(&german);
    {
        MainWindow window({std::make_shared<test::ScriptedSource>(test::scriptedUpgrade()), {}, {}, {}, "anna", false}, Clock::system());
        EXPECT_EQ(window.menuBar()->actions().front()->text(), "&Datei");
        test::expectDistinctMnemonics(window);
        QStringList shown;
        for (const QPushButton* button : window.findChildren<QPushButton*>()) {
            shown << button->text();
        }
        EXPECT_TRUE(shown.contains("Quittieren")) << shown.join('|').toStdString();
    }
    QCoreApplication::removeTranslator(&german);
}

TEST(Language, AWishThatNobodyKnowsIsEnglish) {
    EXPECT_EQ(chooseLanguage("de"), "de");
    EXPECT_EQ(chooseLanguage("en"), "en");
    EXPECT_EQ(chooseLanguage("tlh"), "en");
    Catalogue none;
    EXPECT_FALSE(none.loadLanguage("tlh"));
}
