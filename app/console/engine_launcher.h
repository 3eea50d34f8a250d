// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>
#include <QProcess>

namespace tealdeck {

/// From a plan to the socket of its engine: asks `tealdeck-engine --where PLAN`, and starts `tealdeck-engine --daemon PLAN` when nobody
/// answers there. Never waits: the outcome is a signal.
class EngineLauncher final : public QObject {
    Q_OBJECT
  public:
    explicit EngineLauncher(QObject* parent = nullptr);
    void open(const QString& plan);

  signals:
    void ready(const QString& socketPath);
    void failed(const QString& reason);

  private:
    void run(const QStringList& arguments, void (EngineLauncher::*then)(const QByteArray& output));
    void takeWhere(const QByteArray& output);
    void takeStarted(const QByteArray& output);
    QString m_program;
    QString m_plan;
    QString m_socket;
};

} // namespace tealdeck
