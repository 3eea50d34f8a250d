// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/language.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocale>

static void loadCatalogues() {
    Q_INIT_RESOURCE(i18n);
} // lies in a library: it must be asked for, outside of any namespace

namespace tealdeck {
namespace {

QString fileOf(const QString& language) {
    return QStringLiteral(":/tealdeck/i18n/%1.json").arg(language);
}

} // namespace

bool Catalogue::loadLanguage(const QString& language) {
    loadCatalogues();
    QFile file(fileOf(language));
    if (!file.open(QIODevice::ReadOnly)) {
        return false;
    }
    const QJsonObject texts = QJsonDocument::fromJson(file.readAll()).object();
    for (auto it = texts.begin(); it != texts.end(); ++it) {
        m_texts.insert(it.key().toUtf8(), it.value().toString());
    }
    return !m_texts.isEmpty();
}

QString Catalogue::translate(const char*, const char* english, const char*, int) const {
    return m_texts.value(QByteArray::fromRawData(english, static_cast<qsizetype>(qstrlen(english))));
}

QString chooseLanguage(const QString& wish) {
    loadCatalogues();
    const QString language = wish.isEmpty() ? QLocale::system().name().section('_', 0, 0) : wish;
    return QFile::exists(fileOf(language)) ? language : QStringLiteral("en");
}

} // namespace tealdeck
