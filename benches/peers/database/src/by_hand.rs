//! What a careful author would write by hand: the same rows, in the same tables (without stripes), with the same checks (the
//! revision has not changed, no account goes below zero), by one statement that PostgreSQL prepares once: a CTE for one
//! commit, and the same over UNNEST for a batch. Either fails as a whole where an order has changed, which takes less than that
//! its parts wait for the order's row. Values are text and numbers already when the clock starts.

use crate::tab;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Who pays, as it is written.
const ACTOR: &str = r#"{"office":{"role":"platform","id":"ops"}}"#;

// The parties stay who they are.
const ONE: &str = "WITH gone_on AS (
    UPDATE escrowed_subjects SET lifecycle = $2, status = $3, about = NULL, deadline = NULL, held = $4, currency = $5,
        seq = $6, revision = revision + 1, worker = NULL, lease_until = NULL
    WHERE id = $1 AND revision = $7 RETURNING 1
), written AS (
    INSERT INTO escrowed_events (subject, seq, name, version, actor, at, body)
    VALUES ($1, $6, $8, 1, $9, $10, $11)
), taken AS (
    UPDATE escrowed_stripes SET holds = holds - $14
    WHERE account = $12 AND currency = $5 AND stripe = 0 RETURNING 1
), added AS (
    INSERT INTO escrowed_stripes AS b (account, currency, stripe, holds) VALUES ($13, $5, 0, $14)
    ON CONFLICT (account, currency, stripe) DO UPDATE SET holds = b.holds + excluded.holds
), booked AS (
    INSERT INTO escrowed_entries (subject, seq, from_account, to_account, minor, currency, purpose, at)
    VALUES ($1, $6, $12, $13, $14, $5, $15, $10)
), enqueued AS (
    INSERT INTO escrowed_calls (key, lane, gateway, instruction, status, due, attempts)
    VALUES ($16, $1, $17, $18, 'queued', $10, 0)
) SELECT 1 / (EXISTS (SELECT FROM gone_on) AND EXISTS (SELECT FROM taken))::int";

/// The same after somebody else has written the event.
#[cfg(feature = "libraries")]
pub const ALL_BUT_THE_EVENT: &str = "WITH gone_on AS (
    UPDATE escrowed_subjects SET lifecycle = $2, status = $3, about = NULL, deadline = NULL, held = held - $4, currency = $5,
        seq = $13, revision = revision + 1, worker = NULL, lease_until = NULL
    WHERE id = $1 RETURNING 1
), taken AS (
    UPDATE escrowed_stripes SET holds = holds - $4
    WHERE account = $7 AND currency = $5 AND stripe = 0 RETURNING 1
), added AS (
    INSERT INTO escrowed_stripes AS b (account, currency, stripe, holds) VALUES ($8, $5, 0, $4)
    ON CONFLICT (account, currency, stripe) DO UPDATE SET holds = b.holds + excluded.holds
), booked AS (
    INSERT INTO escrowed_entries (subject, seq, from_account, to_account, minor, currency, purpose, at)
    VALUES ($1, $13, $7, $8, $4, $5, $9, $6)
), enqueued AS (
    INSERT INTO escrowed_calls (key, lane, gateway, instruction, status, due, attempts)
    VALUES ($10, $1, $11, $12, 'queued', $6, 0)
) SELECT 1 / (EXISTS (SELECT FROM gone_on) AND EXISTS (SELECT FROM taken))::int";

const MANY: &str = "WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::int8[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::text[]) AS u (id, held, seq, revision, actor, body, account, wallet, key, instruction)
), gone_on AS (
    UPDATE escrowed_subjects AS s SET lifecycle = 'tab', status = 'RUNNING', about = NULL, deadline = NULL,
        held = u.held, currency = 'EUR', seq = u.seq, revision = s.revision + 1, worker = NULL, lease_until = NULL
    FROM asked AS u WHERE s.id = u.id AND s.revision = u.revision RETURNING s.id
), written AS (
    INSERT INTO escrowed_events (subject, seq, name, version, actor, at, body)
    SELECT id, seq, 'pay', 1, actor, $11, body FROM asked
), taken AS (
    UPDATE escrowed_stripes AS b SET holds = b.holds - $12 FROM asked AS u
    WHERE b.account = u.account AND b.currency = 'EUR' AND b.stripe = 0 RETURNING b.account
), added AS (
    INSERT INTO escrowed_stripes AS b (account, currency, stripe, holds) SELECT wallet, 'EUR', 0, $12 FROM asked
    ON CONFLICT (account, currency, stripe) DO UPDATE SET holds = b.holds + excluded.holds
), booked AS (
    INSERT INTO escrowed_entries (subject, seq, from_account, to_account, minor, currency, purpose, at)
    SELECT id, seq, account, wallet, $12, 'EUR', 'release', $11 FROM asked
), enqueued AS (
    INSERT INTO escrowed_calls (key, lane, gateway, instruction, status, due, attempts)
    SELECT key, id, 'sandbox', instruction, 'queued', $11, 0 FROM asked
) SELECT 1 / ((SELECT count(*) FROM gone_on) = $13 AND (SELECT count(*) FROM taken) = $13)::int";

pub struct Order {
    number: usize,
    id: String,
    account: String,
    held: i64,
    revision: i64,
    seq: i64,
}

#[cfg(feature = "libraries")]
impl Order {
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// What one commit writes.
pub struct Row {
    order: Order,
    wallet: String,
    actor: &'static str,
    body: String,
    key: String,
    instruction: String,
    at: i64,
}

impl Row {
    pub fn of(mut order: Order) -> Self {
        let (at, payee) = (tab::stamp().at, crate::payee(order.number));
        let asks = tab::TabId::generate(at).to_string().replace("tab_", "pi_");
        order.held -= tab::AMOUNT;
        order.seq += 1;
        Self {
            order,
            wallet: format!("wallet:{payee}"),
            actor: ACTOR,
            body: format!("{{\"to\":[\"{payee}\"],\"asks\":\"{asks}\"}}"),
            key: format!("{asks}:capture"),
            instruction: format!(
                "{{\"capture\":{{\"payin\":\"{asks}\",\"amount\":{{\"amount\":125,\"currency\":\"EUR\"}}}}}}"
            ),
            at: at.unix_micros(),
        }
    }

    pub fn written(mut self) -> Order {
        self.order.revision += 1;
        self.order
    }
}

/// Opens and funds an order for each of these ids, which are those of ours, with every row that one of ours begins with.
pub async fn open(connection: &mut PgConnection, ids: impl Iterator<Item = (tab::TabId, usize)>) -> Vec<Order> {
    let mut orders = Vec::new();
    let mut transaction = connection.begin().await.unwrap();
    for (id, number) in ids {
        let (id, payee, at) = (id.to_string(), crate::payee(number), tab::stamp().at.unix_micros());
        let account = format!("escrow:{id}");
        let opened = "WITH opened AS (
    INSERT INTO escrowed_subjects (id, lifecycle, status, parties, held, currency, seq, revision)
    VALUES ($1, 'tab', 'RUNNING', $2, $3, 'EUR', 2, 1)
), joined AS (INSERT INTO escrowed_parties VALUES ($4, $1)
), written AS (
    INSERT INTO escrowed_events (subject, seq, name, version, actor, at, body)
    VALUES ($1, 1, 'open', 1, $6, $7, $8), ($1, 2, 'fund', 1, $6, $7, '{\"until\":null}')
), booked AS (
    INSERT INTO escrowed_entries (subject, seq, from_account, to_account, minor, currency, purpose, at)
    VALUES ($1, 2, 'world:sandbox', $5, $3, 'EUR', 'payin', $7)
)
INSERT INTO escrowed_stripes (account, currency, stripe, holds) VALUES ($5, 'EUR', 0, $3)";
        let opened = sqlx::query(opened).bind(&id).bind(format!("[\"{payee}\"]")).bind(tab::FUNDS).bind(&payee);
        let opened = opened.bind(&account).bind(ACTOR).bind(at).bind(format!("{{\"payee\":\"{payee}\"}}"));
        opened.execute(&mut *transaction).await.unwrap();
        orders.push(Order { number, id, account, held: tab::FUNDS, revision: 1, seq: 2 });
    }
    transaction.commit().await.unwrap();
    orders
}

pub async fn write(connection: &mut PgConnection, rows: &[Row]) {
    let [row] = rows else { return write_many(connection, rows).await };
    let order = &row.order;
    let query = sqlx::query(AssertSqlSafe(ONE)).bind(&order.id).bind("tab").bind("RUNNING");
    let query = query.bind(order.held).bind("EUR").bind(order.seq).bind(order.revision).bind("pay").bind(row.actor);
    let query = query.bind(row.at).bind(&row.body).bind(&order.account).bind(&row.wallet).bind(tab::AMOUNT);
    let query = query.bind("release").bind(&row.key).bind("sandbox").bind(&row.instruction);
    let answer = query.fetch_all(connection).await.unwrap();
    assert_eq!(answer.len(), 1, "nobody else has changed it");
}

async fn write_many(connection: &mut PgConnection, rows: &[Row]) {
    fn texts<'r>(rows: &'r [Row], text: fn(&'r Row) -> &'r str) -> Vec<&'r str> {
        rows.iter().map(text).collect()
    }
    let numbers = |number: fn(&Row) -> i64| rows.iter().map(number).collect::<Vec<_>>();
    let query = sqlx::query(AssertSqlSafe(MANY))
        .bind(texts(rows, |row| &row.order.id))
        .bind(numbers(|row| row.order.held))
        .bind(numbers(|row| row.order.seq))
        .bind(numbers(|row| row.order.revision))
        .bind(texts(rows, |row| row.actor))
        .bind(texts(rows, |row| &row.body))
        .bind(texts(rows, |row| &row.order.account))
        .bind(texts(rows, |row| &row.wallet))
        .bind(texts(rows, |row| &row.key))
        .bind(texts(rows, |row| &row.instruction))
        .bind(rows[0].at)
        .bind(tab::AMOUNT)
        .bind(rows.len() as i64);
    query.fetch_one(connection).await.unwrap();
}
