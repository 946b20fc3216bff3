//! cala-ledger, the nearest it does: posts a transaction of two entries by a template, of which it writes the transaction,
//! the entries, both balances with their history, and events of its outbox. No order, no index to query by, no call for a
//! gateway. Its batches are its own `post_transactions`, of 500 at most: it refuses more than 1,000 balances at once. Accounts may go below zero, unless a limit is attached to them, which
//! is the nearest it does to ours: `Cala::guarded`.

use cala_ledger::{
    AccountId, CalaLedger, CalaLedgerConfig, JournalId, TransactionId, VelocityControlId, VelocityLimitId,
    account::NewAccount,
    job::{JobSvcConfig, Jobs},
    journal::NewJournal,
    posting::PostingInput,
    tx_template::{
        NewParamDefinition, NewTxTemplate, NewTxTemplateEntry, NewTxTemplateTransaction, ParamDataType, Params,
    },
    velocity::{NewBalanceLimit, NewLimit, NewVelocityControl, NewVelocityLimit},
};
use rust_decimal::Decimal;
use sqlx_of_peers::postgres::PgPoolOptions;
use std::sync::Arc;

const CODE: &str = "PAY";
/// Transactions at once.
const MOST: usize = 500;

pub struct Cala {
    ledger: Arc<CalaLedger>,
    journal: JournalId,
    // Who pays whom.
    pairs: Vec<(AccountId, AccountId)>,
    next: usize,
}

/// A ledger with all that its connections share.
pub struct Shared {
    ledger: Arc<CalaLedger>,
    journal: JournalId,
    never_below_zero: VelocityControlId,
    _jobs: Jobs,
}

impl Shared {
    pub async fn new(url: &str, connections: u32) -> Self {
        // Two more, for what it runs by itself.
        let options = PgPoolOptions::new().max_connections(connections + 2).test_before_acquire(false);
        let pool = options.connect(url).await.unwrap();
        let config = CalaLedgerConfig::builder().pool(pool.clone()).exec_migrations(true).build().unwrap();
        let mut jobs =
            Jobs::init(JobSvcConfig::builder().pool(pool).exec_migrations(false).build().unwrap()).await.unwrap();
        let ledger = CalaLedger::init(config, &mut jobs).await.unwrap();
        let journal = NewJournal::builder().id(JournalId::new()).name("orders".to_owned()).build();
        let journal = ledger.journals().create(journal).await.unwrap().id();
        ledger.tx_templates().create(template()).await.unwrap();
        let never_below_zero = never_below_zero(&ledger).await;
        Self { ledger: Arc::new(ledger), journal, never_below_zero, _jobs: jobs }
    }

    /// Accounts, those who pay with the limit that they may not spend more than they have.
    pub async fn guarded(&self, pairs: usize) -> Cala {
        let open = self.open(pairs).await;
        let payers: Vec<AccountId> = open.pairs.iter().map(|(payer, _)| *payer).collect();
        let mut funds = Params::new();
        funds.insert("funds", Decimal::from(crate::tab::FUNDS));
        let mut at_once = self.ledger.begin_operation().await.unwrap();
        let velocities = self.ledger.velocities();
        velocities.attach_control_to_accounts_in_op(&mut at_once, self.never_below_zero, &payers, funds).await.unwrap();
        at_once.commit().await.unwrap();
        open
    }

    /// Accounts.
    pub async fn open(&self, pairs: usize) -> Cala {
        let mut accounts = Vec::new();
        for number in 0..2 * pairs {
            let id = AccountId::new();
            let account = NewAccount::builder().id(id).name(format!("account {number}")).code(id.to_string());
            accounts.push(account.build());
        }
        let accounts = self.ledger.accounts().create_all(accounts).await.unwrap();
        let pairs = accounts.chunks(2).map(|pair| (pair[0].id(), pair[1].id())).collect();
        Cala { ledger: Arc::clone(&self.ledger), journal: self.journal, pairs, next: 0 }
    }
}

impl Cala {
    fn params(&mut self) -> Params {
        let (from, to) = self.pairs[self.next % self.pairs.len()];
        self.next += 1;
        let mut params = Params::new();
        params.insert("journal_id", self.journal);
        params.insert("sender", from);
        params.insert("recipient", to);
        params.insert("amount", Decimal::new(125, 2));
        params
    }

    pub async fn write(&mut self, batch: usize) {
        if batch == 1 {
            let params = self.params();
            self.ledger.post_transaction(TransactionId::new(), CODE, params).await.unwrap();
            return;
        }
        for _ in 0..batch.div_ceil(MOST) {
            let batch = 0..batch.min(MOST);
            let batch = batch.map(|_| PostingInput::new(TransactionId::new(), CODE, self.params())).collect();
            self.ledger.post_transactions(batch).await.unwrap();
        }
    }
}

fn template() -> NewTxTemplate {
    let param = |name: &str, kind| NewParamDefinition::builder().name(name).r#type(kind).build().unwrap();
    let entry = |kind: &str, account: &str, direction: &str| {
        NewTxTemplateEntry::builder()
            .entry_type(kind)
            .account_id(account)
            .layer("SETTLED")
            .direction(direction)
            .units("params.amount")
            .currency("'EUR'")
            .build()
            .unwrap()
    };
    NewTxTemplate::builder()
        .id(cala_ledger::TxTemplateId::new())
        .code(CODE)
        .params(vec![
            param("recipient", ParamDataType::Uuid),
            param("sender", ParamDataType::Uuid),
            param("journal_id", ParamDataType::Uuid),
            param("amount", ParamDataType::Decimal),
        ])
        .transaction(
            NewTxTemplateTransaction::builder().effective("date()").journal_id("params.journal_id").build().unwrap(),
        )
        .entries(vec![entry("'PAY_DR'", "params.sender", "DEBIT"), entry("'PAY_CR'", "params.recipient", "CREDIT")])
        .build()
}

async fn never_below_zero(ledger: &CalaLedger) -> VelocityControlId {
    let spent = NewBalanceLimit::builder().layer("SETTLED").amount("params.funds").enforcement_direction("DEBIT");
    let funds = NewParamDefinition::builder().name("funds").r#type(ParamDataType::Decimal).build().unwrap();
    let limit = NewVelocityLimit::builder()
        .id(VelocityLimitId::new())
        .name("never below zero")
        .description("what an account spends is at most what it has")
        .window(vec![])
        .limit(NewLimit::builder().balance(vec![spent.always_active().build().unwrap()]).build().unwrap())
        .params(vec![funds])
        .build()
        .unwrap();
    let limit = ledger.velocities().create_limit(limit).await.unwrap().id;
    let control = NewVelocityControl::builder().id(VelocityControlId::new()).name("guarded").description("guarded");
    let control = ledger.velocities().create_control(control.build().unwrap()).await.unwrap().id();
    ledger.velocities().add_limit_to_control(control, limit).await.unwrap();
    control
}
