// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/widgets/manual_clock.h"
#include "widgets/status/confirm_control.h"

#include <QCheckBox>
#include <QCoreApplication>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QTest>
#include <gtest/gtest.h>

using namespace tealdeck;
using test::ManualClock;

namespace {

struct Held {
    ManualClock clock;
    HoldButton button{clock, Millis(1500)};
    int count = 0;
    Held() {
        button.resize(200, 40);
        QObject::connect(&button, &HoldButton::held, &button, [this] { ++count; });
    }
    void key(QEvent::Type type, int code = Qt::Key_Space, bool repeat = false, quint64 at = 0) {
        QKeyEvent event(type, code, Qt::NoModifier, {}, repeat);
        event.setTimestamp(at);
        QCoreApplication::sendEvent(&button, &event);
    }
    void mouse(QEvent::Type type, QPointF at = {50, 20}) {
        QMouseEvent event(type, at, at, type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton, type == QEvent::MouseButtonRelease ? Qt::NoButton : Qt::LeftButton, Qt::NoModifier);
        QCoreApplication::sendEvent(&button, &event);
    }
    void pass(int ms) {
        for (int i = 0; i < ms; i += 20) {
            clock.advanceMs(20);
            button.poll();
        }
    }
};

} // namespace

TEST(HoldButton, ActsOnceAfterTheWholeTime) {
    Held h;
    h.mouse(QEvent::MouseButtonPress);
    h.pass(1480);
    EXPECT_EQ(h.count, 0);
    h.pass(40);
    EXPECT_EQ(h.count, 1);
    h.pass(3000); // still pressed: not again
    EXPECT_EQ(h.count, 1);
}

TEST(HoldButton, EarlyReleaseCancels) {
    Held h;
    h.mouse(QEvent::MouseButtonPress);
    h.pass(1400);
    h.mouse(QEvent::MouseButtonRelease);
    h.pass(500);
    EXPECT_EQ(h.count, 0);
    h.mouse(QEvent::MouseButtonPress); // begins anew, nothing is left of the first
    h.pass(1400);
    EXPECT_EQ(h.count, 0);
}

TEST(HoldButton, AutoRepeatNeitherBeginsNorEndsAHold) {
    Held h;
    h.key(QEvent::KeyPress, Qt::Key_Space, true);
    h.pass(2000);
    EXPECT_EQ(h.count, 0);
    h.key(QEvent::KeyPress);
    for (int i = 0; i < 20; ++i) {
        h.pass(60);
        h.key(QEvent::KeyRelease, Qt::Key_Space, true);
        h.key(QEvent::KeyPress, Qt::Key_Space, true);
    }
    EXPECT_EQ(h.count, 0);
    h.pass(320);
    EXPECT_EQ(h.count, 1);
}

TEST(HoldButton, ARepetitionWhoseHalvesArriveApartDoesNotEndAHold) {
    Held h;
    h.key(QEvent::KeyPress, Qt::Key_Space, false, 100);
    h.pass(1000);
    h.key(QEvent::KeyRelease, Qt::Key_Space, false, 1100); // Qt could not know that the press follows
    h.pass(600);
    EXPECT_EQ(h.count, 0) << "nothing completes while it may have been released";
    h.key(QEvent::KeyPress, Qt::Key_Space, false, 1100);
    EXPECT_TRUE(h.button.holding());
    h.pass(520);
    EXPECT_EQ(h.count, 1);
}

TEST(HoldButton, PressingAgainBeginsAnew) {
    Held h;
    h.key(QEvent::KeyPress, Qt::Key_Space, false, 100);
    h.pass(1400);
    h.key(QEvent::KeyRelease, Qt::Key_Space, false, 1500);
    h.key(QEvent::KeyPress, Qt::Key_Space, false, 1510);
    h.pass(1400);
    EXPECT_EQ(h.count, 0);
}

TEST(HoldButton, KeyReleaseEscFocusLossLeavingAndDisablingCancel) {
    for (int way = 0; way < 5; ++way) {
        Held h;
        way == 3 ? h.mouse(QEvent::MouseButtonPress) : h.key(QEvent::KeyPress);
        h.pass(1000);
        EXPECT_TRUE(h.button.holding());
        if (way == 0) {
            h.key(QEvent::KeyRelease);
        } else if (way == 1) {
            h.key(QEvent::KeyPress, Qt::Key_Escape);
        } else if (way == 2) {
            QFocusEvent out(QEvent::FocusOut);
            QCoreApplication::sendEvent(&h.button, &out);
        } else if (way == 3) {
            h.mouse(QEvent::MouseMove, {-5, 20});
        } else {
            h.button.setEnabled(false);
        }
        EXPECT_TRUE(QTest::qWaitFor([&] { return !h.button.holding(); }, 2000)) << way;
        h.pass(2000);
        EXPECT_EQ(h.count, 0) << way;
    }
}

TEST(HoldButton, AStallOfTheProgramDoesNotCountAsHolding) {
    Held h;
    h.key(QEvent::KeyPress);
    h.clock.advanceMs(5000); // the finger left long ago, its release waits in the queue behind this tick
    h.button.poll();
    EXPECT_EQ(h.count, 0);
    h.key(QEvent::KeyRelease);
    h.pass(2000);
    EXPECT_EQ(h.count, 0);
}

TEST(HoldButton, AClickDoesNothing) {
    Held h;
    h.button.click();
    h.pass(2000);
    EXPECT_EQ(h.count, 0);
}

TEST(ArmState, ExpiresAndFollowsTheGate) {
    ManualClock clock;
    ArmState state(clock);
    EXPECT_FALSE(state.armed(7));
    state.arm(7);
    EXPECT_TRUE(state.armed(7));
    EXPECT_FALSE(state.armed(8));
    clock.advanceMs(19'999);
    EXPECT_TRUE(state.armed(7));
    clock.advanceMs(1);
    EXPECT_FALSE(state.armed(7));
}

namespace {

struct Confirming {
    ManualClock clock;
    QWidget host; // owns the parts, as a panel does
    ConfirmControl control{clock};
    ConfirmControl::Act act{CommandKind::Cutover, Confirmation::ArmAndHold, "Cut over", "Moves the writes.", {}, "shop", 5};
    int count = 0;
    QString typed, reason;
    Confirming() {
        for (QWidget* part : {static_cast<QWidget*>(control.armButton()), static_cast<QWidget*>(control.holdButton()), control.form(), control.typed(), static_cast<QWidget*>(control.status())}) {
            part->setParent(&host);
        }
        control.setAct(act);
        QObject::connect(&control, &ConfirmControl::confirmed, &host, [this](CommandKind, const QString& t, const QString& r) {
            ++count;
            typed = t;
            reason = r;
        });
    }
    void hold() {
        QKeyEvent press(QEvent::KeyPress, Qt::Key_Space, Qt::NoModifier);
        QCoreApplication::sendEvent(control.holdButton(), &press);
        for (int i = 0; i < 100; ++i) {
            clock.advanceMs(20);
            control.holdButton()->poll();
        }
        QKeyEvent release(QEvent::KeyRelease, Qt::Key_Space, Qt::NoModifier);
        QCoreApplication::sendEvent(control.holdButton(), &release);
    }
};

} // namespace

TEST(ConfirmControl, NeedsArmThenHold) {
    Confirming c;
    c.hold();
    EXPECT_EQ(c.count, 0);
    c.control.armButton()->click();
    EXPECT_TRUE(c.control.armed());
    c.hold();
    EXPECT_EQ(c.count, 1);
    EXPECT_FALSE(c.control.armed());
}

TEST(ConfirmControl, AChangedGateDisarmsAndCancelsTheHold) {
    Confirming c;
    c.control.armButton()->click();
    QKeyEvent press(QEvent::KeyPress, Qt::Key_Space, Qt::NoModifier);
    QCoreApplication::sendEvent(c.control.holdButton(), &press);
    c.clock.advanceMs(100);
    c.control.holdButton()->poll();
    EXPECT_TRUE(c.control.holdButton()->holding());
    c.act.gateSeq = 6;
    c.control.setAct(c.act);
    EXPECT_FALSE(c.control.armed());
    EXPECT_FALSE(c.control.holdButton()->holding());
    EXPECT_EQ(c.count, 0);
    EXPECT_TRUE(c.control.status()->text().contains("gate has changed")) << c.control.status()->text().toStdString();
    c.control.armButton()->click();
    EXPECT_TRUE(c.control.status()->text().startsWith("ARMED"));
    c.control.armButton()->click(); // by hand: needs no reason
    EXPECT_TRUE(c.control.status()->text().isEmpty());
}

TEST(ConfirmControl, ArmExpires) {
    Confirming c;
    c.control.armButton()->click();
    c.clock.advanceMs(20'001);
    c.control.refresh();
    EXPECT_FALSE(c.control.armed());
    EXPECT_TRUE(c.control.status()->text().contains("20 s")) << c.control.status()->text().toStdString();
    c.hold();
    EXPECT_EQ(c.count, 0);
}

TEST(ConfirmControl, WhatIsForbiddenSaysWhy) {
    Confirming c;
    c.act.whyNot = QStringList{"GREEN is 4 s behind."};
    c.control.setAct(c.act);
    EXPECT_FALSE(c.control.armButton()->isEnabled());
    EXPECT_TRUE(c.control.armButton()->toolTip().contains("GREEN is 4 s behind."));
    EXPECT_TRUE(c.control.armButton()->accessibleDescription().contains("GREEN is 4 s behind."));
}

TEST(ConfirmControl, LossyActsWantNameAndReason) {
    Confirming c;
    c.act.confirmation = Confirmation::ArmHoldAndType;
    c.control.setAct(c.act);
    c.control.armButton()->click();
    c.hold();
    EXPECT_EQ(c.count, 0);
    const auto fields = c.control.form()->findChildren<QLineEdit*>();
    ASSERT_EQ(fields.size(), 2);
    c.control.armButton()->click(); // the hold above took time: still armed, so this disarms
    c.control.armButton()->click();
    fields[0]->setText("shops");
    fields[1]->setText("tested");
    c.hold();
    EXPECT_EQ(c.count, 0);
    fields[0]->setText("shop");
    c.hold();
    EXPECT_EQ(c.count, 1);
    EXPECT_EQ(c.typed, "shop");
    EXPECT_EQ(c.reason, "tested");
}

TEST(ConfirmControl, WhoCannotHoldTypes) {
    Confirming c;
    c.control.armButton()->click();
    c.control.typed()->findChild<QCheckBox*>()->setChecked(true);
    auto* word = c.control.typed()->findChild<QLineEdit*>();
    word->setText("cutoverr");
    emit word->returnPressed();
    EXPECT_EQ(c.count, 0);
    word->setText("cutover");
    emit word->returnPressed();
    EXPECT_EQ(c.count, 1);
}

TEST(ConfirmControl, AClickIsEnoughForWhatIsReversible) {
    Confirming c;
    c.act.confirmation = Confirmation::Click;
    c.control.setAct(c.act);
    c.control.armButton()->click();
    EXPECT_EQ(c.count, 1);
}
