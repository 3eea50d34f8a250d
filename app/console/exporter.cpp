// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/exporter.h"

#include <QBuffer>
#include <QFileDialog>
#include <QPixmap>
#include <QSaveFile>
#include <QWidget>

namespace tealdeck {

Exporter::Exporter(QWidget* window) : QObject(window), m_window(window) {}

void Exporter::save(const QString& title, const QString& name, const QString& suffix, std::function<QByteArray()> what) {
    auto* dialog = new QFileDialog(m_window, title, name, tr("%1 files (*.%2)").arg(suffix.toUpper(), suffix));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(suffix);
    dialog->setModal(false); // the live window stays usable
    connect(dialog, &QFileDialog::fileSelected, this, [this, what = std::move(what)](const QString& file) {
        const QString problem = write(file, what());
        emit told(problem.isEmpty() ? tr("Saved: %1").arg(file) : problem);
    });
    dialog->show();
}

QString Exporter::write(const QString& file, const QByteArray& bytes) {
    QSaveFile out(file);
    if (out.open(QIODevice::WriteOnly) && out.write(bytes) == bytes.size() && out.commit()) {
        return {};
    }
    return tr("%1 could not be written: %2. Choose another folder.").arg(file, out.errorString());
}

QByteArray pngOf(QWidget& widget) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    widget.grab().save(&buffer, "PNG");
    return bytes;
}

} // namespace tealdeck
