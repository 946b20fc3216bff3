//! This crate, on bare connections, and with commits that share a write.

use crate::tab::{self, Running, Tab};
use escrowed::{
    lifecycle::Transition,
    store::{Appended, AppendedAll, Commit, Revision, UnitOfWork},
};
use sqlx::PgConnection;

/// Commits that are ready to be written, and the values that they belong to.
pub struct Ready {
    numbers: Vec<usize>,
    paid: Vec<Transition<Tab<Running>>>,
    pub commits: Vec<Commit>,
}

pub type Tabs = Vec<(Tab<Running>, usize)>;

pub async fn open(connection: &mut PgConnection, numbers: impl Iterator<Item = usize>) -> Tabs {
    let numbers: Vec<_> = numbers.collect();
    let opened: Vec<_> = numbers.iter().map(|number| tab::opened(&crate::payee(*number), None)).collect();
    let appended = connection.append_all(&tab::commits(&opened)).await.unwrap();
    let AppendedAll::Stored(revisions) = appended else { panic!("{appended:?}") };
    tab::saved(opened, revisions).await.into_iter().zip(numbers).collect()
}

impl Ready {
    /// Each pays these, or its own payee if there are none.
    pub fn of(tabs: impl Iterator<Item = (Tab<Running>, usize)>, also: impl Fn(usize) -> Option<String>) -> Self {
        let at = tab::stamp();
        let (mut numbers, mut paid) = (Vec::new(), Vec::new());
        for (tab, number) in tabs {
            let payees = std::iter::once(crate::payee(number)).chain(also(number));
            let payees = payees.map(|payee| payee.parse().unwrap()).collect();
            paid.push(tab.pay(payees, &at).unwrap());
            numbers.push(number);
        }
        let commits = tab::commits(&paid);
        Self { numbers, paid, commits }
    }

    pub async fn written(self, revisions: Vec<Revision>) -> Tabs {
        assert_eq!(revisions.len(), self.numbers.len(), "all are written");
        tab::saved(self.paid, revisions).await.into_iter().zip(self.numbers).collect()
    }
}

pub async fn write(unit: &mut impl UnitOfWork, commits: &[Commit], revisions: &mut Vec<Revision>) {
    if let [commit] = commits {
        let appended = unit.append(commit).await.unwrap();
        let Appended::Stored(revision) = appended else { panic!("{appended:?}") };
        revisions.push(revision);
    } else {
        let appended = unit.append_all(commits).await.unwrap();
        let AppendedAll::Stored(more) = appended else { panic!("{appended:?}") };
        revisions.extend(more);
    }
}
