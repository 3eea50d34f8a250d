// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QCoreApplication>
#include <QPointer>
#include <QThread>

#include <memory>
#include <utility>

namespace tealdeck {

/// Runs `work` on a thread of its own and hands what it returns to `done` on the program's thread, unless `owner` has gone by then.
template <class Work, class Done>
void inBackground(QObject* owner, Work work, Done done) {
    using Made = decltype(work());
    QThread* thread = QThread::create([owner = QPointer<QObject>(owner), work = std::move(work), done = std::move(done)]() mutable {
        auto made = std::make_shared<Made>(work());
        QMetaObject::invokeMethod(QCoreApplication::instance(), [owner, made, done = std::move(done)]() mutable {
            if (owner) {
                done(std::move(*made));
            }
        });
    });
    QObject::connect(thread, &QThread::finished, thread, &QObject::deleteLater);
    thread->start();
}

} // namespace tealdeck
