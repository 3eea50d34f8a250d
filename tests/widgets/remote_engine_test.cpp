// SPDX-License-Identifier: GPL-3.0-or-later
// An engine elsewhere, reached through a program on its standard streams; the program is a stand-in for ssh.
#include "app/console/main_window.h"
#include "core/api/wire.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <gtest/gtest.h>

using namespace tealdeck;

TEST(RemoteEngine, IsReachedThroughACommand) {
    QTemporaryDir folder;
    wire::Welcome welcome;
    welcome.start.snapshot.seq = 7;
    welcome.start.snapshot.session.deployment = "far";
    welcome.start.driver = true;
    QFile answer(folder.filePath("welcome"));
    ASSERT_TRUE(answer.open(QIODevice::WriteOnly));
    answer.write(QByteArray::fromStdString(wire::encode(welcome)));
    answer.close();
    // As ssh does: what was asked arrives on standard input, what is said leaves on standard output, until the other side hangs up.
    const QString script = QStringLiteral("read hello; echo \"$hello\" > %1; cat %2; cat > /dev/null").arg(folder.filePath("hello"), folder.filePath("welcome"));
    MainWindow window(commandSession({"sh", "-c", script}, "anna", false), Clock::system());
    window.show();
    window.start();
    ASSERT_TRUE(QTest::qWaitFor([&] { return window.bridge().state() == SourceState::Live && window.bridge().snapshot().seq == 7; }, 20'000));
    EXPECT_TRUE(window.bridge().driver());
    QFile hello(folder.filePath("hello"));
    ASSERT_TRUE(hello.open(QIODevice::ReadOnly));
    EXPECT_TRUE(hello.readAll().contains("\"anna\""));
}
