// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/plan_draft.h"
#include "core/util/json.h"

#include <QWidget>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QListWidget;
class QPushButton;
class QSpinBox;
class QStackedWidget;
class QVBoxLayout;

namespace tealdeck {

class PlanEditor;
class ReplicaList;

/// A new plan step by step: servers and what they say, databases, routers, budgets, review. Never modal, never asks a server by itself:
/// tealctl does, as a child process. Opened with an existing plan it shows the review alone.
class PlanWizard final : public QWidget {
    Q_OBJECT
  public:
    explicit PlanWizard(QWidget* parent = nullptr);
    /// An existing plan, to be edited as text.
    void edit(const QString& text, const QString& file);
    [[nodiscard]] PlanDraft draft() const;
    void goTo(int page);
    [[nodiscard]] int page() const;
    [[nodiscard]] PlanEditor* editor() const { return m_editor; }
    /// Another tealctl than the installed one: for tests.
    void setProgram(const QString& program) { m_program = program; }
    enum Page { Servers, Databases, Routers, Budgets, Review, PageCount };

  signals:
    void openWanted(const QString& plan);

  protected:
    void closeEvent(QCloseEvent* event) override;

  private:
    struct ServerForm {
        QLineEdit* host = nullptr;
        QSpinBox* port = nullptr;
        QLineEdit* user = nullptr;
        QLineEdit* passfile = nullptr;
        QComboBox* sslmode = nullptr;
        QLineEdit* sslrootcert = nullptr;
        QLineEdit* zone = nullptr;
        QPushButton* test = nullptr;
        QLabel* found = nullptr;
        ReplicaList* replicas = nullptr;
        bool asking = false; ///< the button stays enabled meanwhile: a disabled one would lose the focus of the keyboard
    };
    QWidget* makeServers();
    QWidget* makeServer(ServerForm& form, const QString& side, const QString& what);
    QWidget* makeDatabases();
    QWidget* makeRouters();
    QWidget* makeBudgets();
    void addPage(const QString& title, QWidget* page);
    void test(ServerForm& form);
    void takeProbe(ServerForm& form, const Json& answer, const QString& problem);
    void offerDatabases(const Json& databases);
    void step(int by);
    [[nodiscard]] QString whyNotNext() const;
    void refresh();

    QListWidget* m_steps;
    QStackedWidget* m_pages;
    QPushButton* m_back;
    QPushButton* m_next;
    QLabel* m_why;
    QLineEdit* m_name = nullptr;
    QLineEdit* m_replicationUser = nullptr;
    QLineEdit* m_replicationPassfile = nullptr;
    QLineEdit* m_replicationRootcert = nullptr;
    ServerForm m_blue;
    ServerForm m_green;
    QListWidget* m_databases = nullptr;
    QLineEdit* m_otherDatabases = nullptr;
    QCheckBox* m_hasPooler = nullptr;
    QLineEdit* m_poolerHost = nullptr;
    QSpinBox* m_poolerPort = nullptr;
    QLineEdit* m_poolerUser = nullptr;
    QLineEdit* m_poolerPassfile = nullptr;
    QLineEdit* m_poolerFile = nullptr;
    QCheckBox* m_hasBalancer = nullptr;
    QLineEdit* m_balancerSocket = nullptr;
    QLineEdit* m_balancerBackend = nullptr;
    QLineEdit* m_balancerBlue = nullptr;
    QLineEdit* m_balancerGreen = nullptr;
    QSpinBox* m_budget = nullptr;
    QDoubleSpinBox* m_hold = nullptr;
    QDoubleSpinBox* m_maxLag = nullptr;
    QDoubleSpinBox* m_window = nullptr;
    PlanEditor* m_editor = nullptr;
    QString m_program;
    QString m_written; ///< the text that the wizard made last: an edited one is not overwritten
    bool m_discard = false;
};

} // namespace tealdeck
