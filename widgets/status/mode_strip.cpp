// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/status/mode_strip.h"

#include "widgets/theme/paint.h"
#include "widgets/theme/theme.h"
#include "widgets/theme/words.h"

#include <QPainter>

#include <algorithm>

namespace tealdeck {
namespace {

constexpr Millis ABORT_HOLD{500};

QString modeWord(StripMode mode) {
    return mode == StripMode::Replay ? word("REPLAY") : mode == StripMode::Rehearsal ? word("REHEARSAL") : word("LIVE");
}

} // namespace

ModeStrip::ModeStrip(const Clock& clock, Controls controls, QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Mode strip"));
    if (controls == Controls::Abort) {
        m_abort = new HoldButton(clock, ABORT_HOLD, this);
        m_abort->setObjectName(QStringLiteral("abort"));
        m_abort->setAlarming(true);
        m_abort->setText(word(abortLabel(Phase::Plan, false)));
        m_abort->setAccessibleName(tr("Abort, hold half a second"));
        connect(m_abort, &HoldButton::held, this, &ModeStrip::abortRequested);
    }
}

QSize ModeStrip::sizeHint() const { return {900, fontMetrics().height() * 2 + 22}; }

StripMode ModeStrip::mode() const {
    return m_replay ? StripMode::Replay : m_snapshot.session.mode == "rehearsal" ? StripMode::Rehearsal : StripMode::Live;
}

void ModeStrip::setSource(SourceState state, const QString& detail) {
    m_sourceState = state;
    m_sourceDetail = detail;
    describe();
    update();
}

void ModeStrip::setIntegrity(const QString& word, const QString& sentence, bool good) {
    m_integrity = word;
    m_integritySentence = sentence;
    m_integrityGood = good;
    describe();
    update();
}

void ModeStrip::update(const Snapshot& snapshot, const ViewTime& now) {
    m_snapshot = snapshot;
    m_now = now;
    if (m_abort != nullptr) {
        m_abort->setAlarming(snapshot.phase != Phase::Finalized && snapshot.phase != Phase::Aborted);
        const QString label = word(abortLabel(snapshot.phase, snapshot.pastPointOfNoReturn));
        if (label != m_abort->text()) {
            m_abort->setText(label);
            m_abort->setAccessibleName(tr("%1. Hold half a second.").arg(label));
            m_abort->setToolTip(tooltipText(tr("Hold 0.5 s. %1").arg(label)));
            placeAbort();
        }
    }
    describe();
    update();
}

ModeStrip::Item ModeStrip::heartbeat(const char* metric, char env) const {
    Item item{tr("heartbeat"), unknownMark(), 1, true, false, env};
    const auto found = m_snapshot.metrics.find(metric);
    if (found == m_snapshot.metrics.end() || !found->second.value) {
        item.caption = tr("UNKNOWN");
        return item;
    }
    const auto age = static_cast<std::int64_t>(*found->second.value * 1e6) + m_now.steadyUs - found->second.sampledUs;
    item.value = age < 60'000'000 ? QStringLiteral("%1 s").arg(QString::number(std::max<double>(0, static_cast<double>(age) / 1e6), 'f', 1)) : formatAge(age);
    item.stale = age > staleness::HEARTBEAT_US;
    item.caption = item.stale ? tr("STALE") : tr("heartbeat");
    return item;
}

std::vector<ModeStrip::Item> ModeStrip::items() const {
    const Snapshot& s = m_snapshot;
    std::vector<Item> list;
    const std::string& writes = s.traffic.writesTo;
    const QString to = s.seq == 0 ? unknownMark() : QString::fromStdString(writes).toUpper();
    // Without an engine nobody knows where the writes go now.
    const bool known = s.seq > 0 && writes != "unknown" && (m_replay || m_sourceState == SourceState::Live || m_sourceState == SourceState::Ended);
    list.push_back({known || s.seq == 0 ? tr("writes go to") : tr("STALE: writes"), to, 0, !known, false, writes == "blue" && s.seq > 0 ? 'B' : writes == "green" ? 'G' : '\0'});
    list.push_back(heartbeat("heartbeat_age.blue", 'B'));
    list.push_back(heartbeat("heartbeat_age.green", 'G'));
    list.push_back({tr("deployment"), s.session.deployment.empty() ? QStringLiteral("–") : safeText(s.session.deployment), 3, false, false, 0});
    list.push_back({tr("UTC"), formatUtcTime(m_now.wallUs), 2, false, false, 0});
    list.push_back({tr("elapsed"), formatDuration(m_now.steadyUs), 5, false, false, 0});
    if (m_replay) {
        list.insert(list.begin(), Item{tr("recording"), m_integrity, 0, false, !m_integrityGood, 0});
    } else {
        const auto recordingAlarm = std::find_if(s.alarms.begin(), s.alarms.end(), [](const AlarmState& a) { return a.active && a.id.starts_with("recording"); });
        const bool broken = recordingAlarm != s.alarms.end();
        const bool live = m_sourceState == SourceState::Live;
        list.push_back({tr("recording"), broken ? tr("✕ FAILS") : live ? tr("✓ ok") : unknownMark(), 4, !live, broken, 0});
        if (!live) {
            const QString word = m_sourceState == SourceState::Connecting ? tr("connecting…") : m_sourceState == SourceState::Lost ? tr("✕ LOST") : tr("ended");
            list.push_back({tr("engine"), word, 0, true, m_sourceState == SourceState::Lost, 0});
        }
    }
    return list;
}

double ModeStrip::itemWidth(const Item& item) const {
    const QFontMetricsF small(scaledFont(font(), 0.85));
    const QFontMetricsF large(scaledFont(font(), 1.15, QFont::DemiBold));
    const double value = large.horizontalAdvance(item.value) + (item.env != 0 ? large.height() + 6 : 0);
    return std::max(small.horizontalAdvance(item.caption), value) + 22;
}

void ModeStrip::paintMode(QPainter& painter, QRectF& left) {
    const Tokens& t = tokensFor(palette());
    painter.setFont(scaledFont(font(), 1.3, QFont::Bold));
    // Lost is not live: the badge is empty then, and the item "engine" says why.
    const bool lost = !m_replay && m_sourceState == SourceState::Lost;
    const bool filled = mode() == StripMode::Live && !lost;
    const QString word = lost ? tr("LOST") : modeWord(mode());
    const QRectF box(left.left() + 8, left.top() + 7, painter.fontMetrics().horizontalAdvance(word) + 26, left.height() - 14);
    painter.setPen(Qt::NoPen);
    painter.setBrush(filled ? t.text : t.raised);
    painter.drawRoundedRect(box, 4, 4);
    if (!filled) {
        painter.setPen(QPen(lost ? t.high : t.text, 1.5));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(box, 4, 4);
    }
    painter.setPen(filled ? t.surface : lost ? t.high : t.text);
    painter.drawText(box, Qt::AlignCenter, word);
    left.setLeft(box.right() + 14);
}

void ModeStrip::paintItem(QPainter& painter, const QRectF& box, const Item& item) {
    const Tokens& t = tokensFor(palette());
    if (item.stale) {
        paintStaleHatch(painter, box.adjusted(-6, 5, -10, -5), t);
    }
    const double half = box.height() / 2;
    painter.setFont(scaledFont(font(), 0.85, item.stale ? QFont::DemiBold : QFont::Normal));
    painter.setPen(item.alarm ? t.high : item.stale ? t.text : t.muted);
    painter.drawText(QRectF(box.left(), box.top() + 5, box.width(), half - 5), Qt::AlignLeft | Qt::AlignBottom, item.caption);
    painter.setFont(scaledFont(font(), 1.15, QFont::DemiBold));
    painter.setPen(item.alarm ? t.high : t.text);
    double x = box.left();
    if (item.env != 0) {
        const double size = painter.fontMetrics().height();
        paintEnvBadge(painter, QRectF(x, box.top() + half, size, size), item.env == 'B' ? Env::Blue : Env::Green, t);
        x += size + 6;
    }
    painter.drawText(QRectF(x, box.top() + half, box.right() - x, half), Qt::AlignLeft | Qt::AlignTop, item.value);
}

void ModeStrip::paintEvent(QPaintEvent*) {
    const Tokens& t = tokensFor(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(rect(), t.surface);
    if (m_replay) {
        QColor stripes = t.line;
        painter.fillRect(rect(), QBrush(stripes, Qt::BDiagPattern));
        painter.fillRect(QRectF(rect()).adjusted(6, 5, -6, -5), t.surface);
    }
    painter.fillRect(QRect(0, height() - 1, width(), 1), t.line);
    QRectF left = rect();
    paintMode(painter, left);
    const double right = m_abort != nullptr ? m_abort->x() - 8 : width() - 12;
    std::vector<Item> list = items();
    double needed = 0;
    for (const Item& item : list) {
        needed += itemWidth(item);
    }
    while (!list.empty() && needed > right - left.left()) {
        const auto least = std::max_element(list.begin(), list.end(), [](const Item& a, const Item& b) { return a.priority < b.priority; });
        needed -= itemWidth(*least);
        list.erase(least);
    }
    double x = left.left();
    for (const Item& item : list) {
        const double width = itemWidth(item);
        paintItem(painter, QRectF(x, 0, width, height()), item);
        x += width;
    }
}

void ModeStrip::placeAbort() {
    if (m_abort != nullptr) {
        // Abort may take at most 40 % of the strip: the state must stay readable beside it; its tooltip says everything.
        const int wanted = std::clamp(m_abort->sizeHint().width(), 150, std::max(150, width() * 2 / 5));
        const int high = height() - 14;
        m_abort->setGeometry(width() - wanted - 10, 7, wanted, high);
    }
}

void ModeStrip::resizeEvent(QResizeEvent*) { placeAbort(); }

void ModeStrip::describe() {
    QStringList parts{modeWord(mode())};
    for (const Item& item : items()) {
        const QString env = item.env == 'B' ? QStringLiteral("blue ") : item.env == 'G' ? QStringLiteral("green ") : QString();
        parts << QStringLiteral("%1%2: %3").arg(item.caption == tr("writes go to") || item.caption == tr("STALE: writes") ? QString() : env, item.caption, item.value);
    }
    const QString detail = m_replay ? m_integritySentence : m_sourceDetail;
    const QString text = parts.join(QStringLiteral("; ")) + (m_replay && !detail.isEmpty() ? QStringLiteral("; ") + detail : QString());
    if (text != accessibleDescription()) {
        setAccessibleDescription(text);
        setToolTip(detail.isEmpty() ? QString() : tooltipText(detail));
    }
}

} // namespace tealdeck
