// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>

#include <functional>

class QWidget;

namespace tealdeck {

/// Asks for a file without stopping anything, and writes it: what() gives the bytes at the moment that the name is chosen.
class Exporter final : public QObject {
    Q_OBJECT
  public:
    explicit Exporter(QWidget* window);
    /// `suffix` such as "csv"; `name` is what is offered.
    void save(const QString& title, const QString& name, const QString& suffix, std::function<QByteArray()> what);
    /// Writes as a whole or not at all. Empty: done; else why not.
    static QString write(const QString& file, const QByteArray& bytes);

  signals:
    void told(const QString& text);

  private:
    QWidget* m_window;
};

/// A widget as it is drawn now.
QByteArray pngOf(QWidget& widget);

} // namespace tealdeck
