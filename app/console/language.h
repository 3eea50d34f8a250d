// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QHash>
#include <QStringList>
#include <QTranslator>

namespace tealdeck {

/// The texts of the window in another language, by the English text alone: resources/i18n/LANGUAGE.json, an object of texts. Words that
/// are constants of core or come through a helper have no class that they belong to, so the context of Qt's tools would not help; and a
/// person can edit the file without a tool. tests/widgets/language_test.cpp knows when a text is missing.
class Catalogue final : public QTranslator {
    Q_OBJECT
  public:
    /// "de"; false when there is none, or it is damaged.
    bool loadLanguage(const QString& language);
    [[nodiscard]] bool has(const QString& english) const { return m_texts.contains(english.toUtf8()); }
    [[nodiscard]] const QHash<QByteArray, QString>& texts() const { return m_texts; }
    [[nodiscard]] bool isEmpty() const override { return m_texts.isEmpty(); }
    [[nodiscard]] QString translate(const char* context, const char* english, const char* disambiguation, int n) const override;

  private:
    QHash<QByteArray, QString> m_texts;
};

/// The language for a wish ("", "en", "de") and the machine's locale: "en" or one that there is a catalogue for.
QString chooseLanguage(const QString& wish);

} // namespace tealdeck
