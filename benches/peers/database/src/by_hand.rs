//! What a careful author would write by hand: the same rows, in the same tables (without stripes), with the same checks (the
//! revision has not changed, no account goes below zero), by one statement that PostgreSQL prepares once: a CTE for one
//! commit, and the same over UNNEST for a batch, which fails as a whole where one order has changed. Values are text and
//! numbers already when the clock starts.

use crate::tab;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row as _};

const ONE: &str = "WITH gone_on AS (
    UPDATE escrowed_subjects SET lifecycle = $2, status = $3, parties = $4, about = NULL, deadline = NULL, held = $5,
        currency = $6, seq = $7, revision = revision + 1, worker = NULL, lease_until = NULL
    WHERE id = $1 AND revision = $8 RETURNING revision
), written AS (
    INSERT INTO escrowed_events (subject, seq, name, version, actor, at, body)
    SELECT $1, $7, $9, 1, $10, $11, $12 FROM gone_on
), taken AS (
    UPDATE escrowed_balances SET minor = minor - $15 FROM gone_on
    WHERE account = $13 AND currency = $6 AND stripe = 0 RETURNING account
), added AS (
    INSERT INTO escrowed_balances AS b (account, currency, stripe, minor) SELECT $14, $6, 0, $15 FROM gone_on
    ON CONFLICT (account, currency, stripe) DO UPDATE SET minor = b.minor + excluded.minor
), booked AS (
    INSERT INTO escrowed_entries (subject, seq, from_account, to_account, minor, currency, purpose, at)
    SELECT $1, $7, $13, $14, $15, $6, $16, $11 FROM gone_on
), enqueued AS (
    INSERT INTO escrowed_calls (key, lane, gateway, instruction, status, due, attempts)
    SELECT $17, $1, $18, $19, 'queued', $11, 0 FROM gone_on
) SELECT revision FROM gone_on, taken";

const MANY: &str = "WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[], $5::int8[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::text[], $11::text[]) AS u (id, parties, held, seq, revision, actor, body, account, wallet, key,
        instruction)
), gone_on AS (
    UPDATE escrowed_subjects AS s SET lifecycle = 'tab', status = 'RUNNING', parties = u.parties, about = NULL,
        deadline = NULL, held = u.held, currency = 'EUR', seq = u.seq, revision = s.revision + 1, worker = NULL,
        lease_until = NULL
    FROM asked AS u WHERE s.id = u.id AND s.revision = u.revision RETURNING s.id
), written AS (
    INSERT INTO escrowed_events (subject, seq, name, version, actor, at, body)
    SELECT id, seq, 'pay', 1, actor, $12, body FROM asked
), taken AS (
    UPDATE escrowed_balances AS b SET minor = b.minor - $13 FROM asked AS u
    WHERE b.account = u.account AND b.currency = 'EUR' AND b.stripe = 0 RETURNING b.account
), added AS (
    INSERT INTO escrowed_balances AS b (account, currency, stripe, minor) SELECT wallet, 'EUR', 0, $13 FROM asked
    ON CONFLICT (account, currency, stripe) DO UPDATE SET minor = b.minor + excluded.minor
), booked AS (
    INSERT INTO escrowed_entries (subject, seq, from_account, to_account, minor, currency, purpose, at)
    SELECT id, seq, account, wallet, $13, 'EUR', 'release', $12 FROM asked
), enqueued AS (
    INSERT INTO escrowed_calls (key, lane, gateway, instruction, status, due, attempts)
    SELECT key, id, 'sandbox', instruction, 'queued', $12, 0 FROM asked
) SELECT 1 / ((SELECT count(*) FROM gone_on) = $14 AND (SELECT count(*) FROM taken) = $14)::int";

pub struct Order {
    number: usize,
    id: String,
    account: String,
    held: i64,
    revision: i64,
    seq: i64,
}

/// What one commit writes.
pub struct Row {
    order: Order,
    wallet: String,
    parties: String,
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
            parties: format!("[\"{payee}\"]"),
            actor: r#"{"office":{"role":"platform","id":"ops"}}"#,
            body: format!("{{\"to\":[\"{payee}\"],\"asks\":\"{asks}\"}}"),
            key: format!("{asks}:capture"),
            instruction: format!("{{\"capture\":{{\"payin\":\"{asks}\",\"amount\":\"1.25 EUR\"}}}}"),
            at: at.unix_micros(),
        }
    }

    pub fn written(mut self) -> Order {
        self.order.revision += 1;
        self.order
    }
}

/// Opens and funds some orders.
pub async fn open(connection: &mut PgConnection, numbers: impl Iterator<Item = usize>) -> Vec<Order> {
    let mut orders = Vec::new();
    let mut transaction = connection.begin().await.unwrap();
    for number in numbers {
        let id = tab::TabId::generate(tab::stamp().at).to_string();
        let account = format!("escrow:{id}");
        let opened = "WITH opened AS (
    INSERT INTO escrowed_subjects (id, lifecycle, status, parties, held, currency, seq, revision)
    VALUES ($1, 'tab', 'RUNNING', $2, $3, 'EUR', 2, 1)
), joined AS (INSERT INTO escrowed_parties VALUES ($4, $1))
INSERT INTO escrowed_balances VALUES ($5, 'EUR', 0, $3)";
        let payee = crate::payee(number);
        let opened = sqlx::query(opened).bind(&id).bind(format!("[\"{payee}\"]")).bind(tab::FUNDS);
        opened.bind(payee).bind(&account).execute(&mut *transaction).await.unwrap();
        orders.push(Order { number, id, account, held: tab::FUNDS, revision: 1, seq: 2 });
    }
    transaction.commit().await.unwrap();
    orders
}

pub async fn write(connection: &mut PgConnection, rows: &[Row]) {
    let [row] = rows else { return write_many(connection, rows).await };
    let order = &row.order;
    let query = sqlx::query(AssertSqlSafe(ONE)).bind(&order.id).bind("tab").bind("RUNNING").bind(&row.parties);
    let query = query.bind(order.held).bind("EUR").bind(order.seq).bind(order.revision).bind("pay").bind(row.actor);
    let query = query.bind(row.at).bind(&row.body).bind(&order.account).bind(&row.wallet).bind(tab::AMOUNT);
    let query = query.bind("release").bind(&row.key).bind("sandbox").bind(&row.instruction);
    let answer = query.fetch_all(connection).await.unwrap();
    assert_eq!(answer.len(), 1, "nobody else has changed it");
    assert_eq!(answer[0].get::<i64, _>(0), order.revision + 1);
}

async fn write_many(connection: &mut PgConnection, rows: &[Row]) {
    fn texts<'r>(rows: &'r [Row], text: fn(&'r Row) -> &'r str) -> Vec<&'r str> {
        rows.iter().map(text).collect()
    }
    let numbers = |number: fn(&Row) -> i64| rows.iter().map(number).collect::<Vec<_>>();
    let query = sqlx::query(AssertSqlSafe(MANY))
        .bind(texts(rows, |row| &row.order.id))
        .bind(texts(rows, |row| &row.parties))
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
