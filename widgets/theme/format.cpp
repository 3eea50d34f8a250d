// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme/format.h"
#include "widgets/theme/words.h"

#include <QDateTime>
#include <QRegularExpression>
#include <QTimeZone>

#include <cmath>

namespace tealdeck {
namespace {

QDateTime utc(std::int64_t wallUs) { return QDateTime::fromMSecsSinceEpoch(wallUs / 1000, QTimeZone::utc()); }

} // namespace

QString formatNumber(double value) {
    const double size = std::abs(value);
    const int decimals = size >= 100 || size == std::floor(size) ? 0 : size >= 10 ? 1 : 2;
    return QString::number(value, 'f', decimals);
}

QString formatBytes(double bytes) {
    static const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    std::size_t unit = 0;
    while (std::abs(bytes) >= 1024 && unit + 1 < std::size(units)) {
        bytes /= 1024;
        ++unit;
    }
    const int decimals = unit == 0 || std::abs(bytes) >= 100 ? 0 : 1;
    return QStringLiteral("%1 %2").arg(QString::number(bytes, 'f', decimals), QLatin1String(units[unit]));
}

QString formatSeconds(double seconds) {
    if (seconds < 0.9995) {
        return QStringLiteral("%1 ms").arg(qRound(seconds * 1000));
    }
    if (seconds < 60) {
        return QStringLiteral("%1 s").arg(QString::number(seconds, 'f', 1));
    }
    return formatDuration(static_cast<std::int64_t>(seconds * 1e6));
}

QString formatDuration(std::int64_t us) {
    const qint64 s = std::max<std::int64_t>(us, 0) / 1'000'000;
    const QString tail = QStringLiteral("%1:%2").arg((s / 60) % 60, s >= 3600 ? 2 : 1, 10, QLatin1Char('0')).arg(s % 60, 2, 10, QLatin1Char('0'));
    return s >= 3600 ? QStringLiteral("%1:%2").arg(s / 3600).arg(tail) : tail;
}

QString formatAge(std::int64_t us) {
    const qint64 s = us / 1'000'000;
    if (s < 1) {
        return word("now");
    }
    if (s < 120) {
        return QStringLiteral("%1 s").arg(s);
    }
    return s < 7200 ? QStringLiteral("%1 min").arg(s / 60) : QStringLiteral("%1 h").arg(s / 3600);
}

QString formatUtcTime(std::int64_t wallUs) { return wallUs == 0 ? QStringLiteral("--:--:--") : utc(wallUs).toString(QStringLiteral("HH:mm:ss")); }

QString formatUtcMillis(std::int64_t wallUs) { return utc(wallUs).toString(QStringLiteral("HH:mm:ss.zzz")); }

QString unknownMark() { return QStringLiteral("?"); }

QString bytesOrUnknown(const std::optional<double>& bytes) { return bytes ? formatBytes(*bytes) : unknownMark(); }

QString secondsOrUnknown(const std::optional<double>& seconds) { return seconds ? formatSeconds(*seconds) : unknownMark(); }

QString formatPosition(std::int64_t us) {
    const qint64 ms = std::max<std::int64_t>(us, 0) / 1000;
    return QStringLiteral("%1:%2:%3.%4")
        .arg(ms / 3'600'000, 2, 10, QLatin1Char('0'))
        .arg((ms / 60'000) % 60, 2, 10, QLatin1Char('0'))
        .arg((ms / 1000) % 60, 2, 10, QLatin1Char('0'))
        .arg(ms % 1000, 3, 10, QLatin1Char('0'));
}

std::optional<std::int64_t> parsePosition(const QString& text) {
    static const QRegularExpression shape(QStringLiteral("^(?:(\\d{1,3}):)?(\\d{1,2}):(\\d{1,2})(?:\\.(\\d{1,3}))?$"));
    const QRegularExpressionMatch m = shape.match(text.trimmed());
    if (!m.hasMatch() || m.captured(2).toInt() > 59 || m.captured(3).toInt() > 59) {
        return std::nullopt;
    }
    const qint64 ms = m.captured(4).isEmpty() ? 0 : m.captured(4).leftJustified(3, QLatin1Char('0')).toInt();
    return ((m.captured(1).toLongLong() * 60 + m.captured(2).toInt()) * 60 + m.captured(3).toInt()) * 1'000'000 + ms * 1000;
}

} // namespace tealdeck
