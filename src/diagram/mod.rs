//! A lifecycle as a picture: Mermaid, Graphviz DOT or SVG, with one value's path lit.
//!
//! ```
//! use escrowed::{diagram::Diagram, order};
//!
//! let svg = Diagram::of(&order::TABLE).svg();
//! assert!(svg.starts_with("<svg ") && svg.contains("PENDING_PUBLISH"));
//! assert_eq!(svg, Diagram::of(&order::TABLE).svg());          // the same table, the same bytes
//! ```
//!
//! Each status has the colour of where its money is, each line the dashes of who may take it, and each of these a word in
//! the legend. The happy path runs straight from left to right; everything else goes up or down from it.
//!
//! | to draw | call |
//! |---|---|
//! | a lifecycle | [`Diagram::of`] |
//! | one value: where it has been, where it is, what may come next | [`Diagram::of_value`] |
//! | the same from what a store says | [`with_path`](Diagram::with_path), [`with_next`](Diagram::with_next) |

mod across;
mod dot;
mod graph;
mod layout;
mod legend;
mod mermaid;
mod palette;
mod plan;
mod route;
mod svg;
mod text;

use crate::{
    lifecycle::{self, Lifecycle, Table, Value},
    party::Stamp,
};
use graph::Graph;

/// A lifecycle that can be drawn.
#[derive(Debug, Clone)]
#[must_use]
pub struct Diagram<'t> {
    table: &'t Table,
    path: Vec<usize>,
    next: Vec<usize>,
}

impl<'t> Diagram<'t> {
    /// Of a whole lifecycle. Positions that the table does not have are left out.
    pub const fn of(table: &'t Table) -> Self {
        Self { table, path: Vec::new(), next: Vec::new() }
    }

    /// Lights a path: the statuses that were reached, in order, by position. The last is where the value is now.
    pub fn with_path(mut self, statuses: impl IntoIterator<Item = usize>) -> Self {
        self.path = statuses.into_iter().collect();
        self
    }

    /// Marks what is possible now, by position of the actions. Has no effect without a path.
    pub fn with_next(mut self, actions: impl IntoIterator<Item = usize>) -> Self {
        self.next = actions.into_iter().collect();
        self
    }

    /// For Mermaid: a `stateDiagram-v2`.
    #[must_use]
    pub fn mermaid(&self) -> String {
        mermaid::draw(&self.graph())
    }

    /// For Graphviz.
    #[must_use]
    pub fn dot(&self) -> String {
        dot::draw(&self.graph())
    }

    /// A picture that needs nothing else: no script, no font, no style sheet.
    #[must_use]
    pub fn svg(&self) -> String {
        svg::draw(&self.graph())
    }

    fn graph(&self) -> Graph {
        Graph::new(self.table, &self.path, &self.next)
    }
}

impl Diagram<'static> {
    /// Of one value: its own path from its history, its status now, and what an actor may do next.
    ///
    /// ```
    /// use escrowed::{diagram::Diagram, order::{Order, OrderId, Terms}, party::{Actor, Stamp}};
    ///
    /// # let (seller, buyer) = ("sam".parse()?, "anna".parse()?);
    /// # let terms = Terms::new("A bicycle".parse()?, "120.00 EUR".parse()?, seller, "shop".parse()?, "sandbox".parse()?);
    /// let at = Stamp::new(Actor::platform("ops".parse()?), "2026-05-07T15:39:46Z".parse()?);
    /// let order = Order::open(OrderId::generate(at.at), terms, &at)?;
    /// let order = order.then(|draft| draft.identify_buyer(buyer, &at))?;
    ///
    /// let picture = Diagram::of_value(order.value(), &at);
    /// assert!(picture.svg().contains("now PENDING_PUBLISH"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// What may come next is what the table and the actor's roles allow. A lifecycle's own `actions` also looks at its
    /// facts: `Diagram::of_value(&order, &at).with_next(order.actions(&at).map(|action| action as usize))`.
    pub fn of_value<V: Value>(value: &V, at: &Stamp) -> Self {
        let table = <V::Any as Lifecycle>::TABLE;
        let position = |code| (0..table.statuses.len()).find(|at| V::Any::status_at(*at) == code);
        let path = value.head().history().by_time().iter().filter_map(|passage| position(passage.code));
        let next = (0..table.actions.len()).filter(|action| lifecycle::may(value, *action, at).is_ok());
        Self::of(table).with_path(path).with_next(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        face_to_face,
        lifecycle::{Edge, Flow, Holds, Origin, StatusRow},
        order,
        party::Role,
        payment::{payin, payout, refund},
        transaction,
    };

    const fn edge(from: &'static [usize], to: &'static [usize]) -> Edge {
        let by = &[Role::BUYER, Role::CLOCK];
        Edge { action: 0, from, to, by, money: Flow::Keep, origin: Origin::Own, says: "<&\">" }
    }

    const fn row(name: &'static str) -> StatusRow {
        StatusRow { name, says: "a < b & \"c\"", holds: Holds::Nothing }
    }

    const fn table(name: &'static str, statuses: &'static [StatusRow], edges: &'static [Edge]) -> Table {
        Table { name, statuses, actions: &["go<on>"], initial: 0, happy: &[], edges, notes: &[] }
    }

    /// As many as a lifecycle may have.
    const MANY: [StatusRow; 32] = [row("status"); 32];

    /// What no lifecycle looks like, and must still be drawn.
    const ODD: [Table; 7] = [
        table("none", &[], &[]),
        table("one", &[row("only")], &[edge(&[0], &[0])]),
        table("apart", &[row("here"), row("there"), row("<elsewhere>")], &[edge(&[1], &[2, 1])]),
        table("wrong", &[row("here"), row("there")], &[edge(&[0, 9], &[1, 7])]),
        Table {
            happy: &[0, 1, 1, 40, 2],
            initial: 99,
            ..table(
                "back",
                &MANY,
                &[edge(&[0], &[1, 2]), edge(&[1], &[2, 0]), edge(&[2], &[0, 1, 2, 3]), edge(&[3], &[4, 2])],
            )
        },
        table(
            "star",
            &MANY,
            &[edge(&[0], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]), edge(&[4, 5, 6], &[7, 8, 9])],
        ),
        Table {
            happy: &[0, 1],
            ..table("dense", MANY.split_at(7).0, &[edge(&[0, 1, 2, 3, 4, 5, 6], &[0, 1, 2, 3, 4, 5, 6])])
        },
    ];

    /// What every test of a picture goes through. A new lifecycle is added here.
    pub(super) fn tables() -> impl Iterator<Item = &'static Table> {
        let real =
            [&order::TABLE, &payin::TABLE, &payout::TABLE, &refund::TABLE, &transaction::TABLE, &face_to_face::TABLE];
        real.into_iter().chain(&ODD)
    }
}
