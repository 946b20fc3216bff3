//! cala-ledger, the nearest it does: posts a transaction of two entries by a template, of which it writes the transaction,
//! the entries, both balances with their history, and events of its outbox. No order, no index to query by, no call for a
//! gateway. Its batches are its own `post_transactions`.

use cala_ledger::{
    AccountId, CalaLedger, CalaLedgerConfig, JournalId, TransactionId,
    account::NewAccount,
    job::{JobSvcConfig, Jobs},
    journal::NewJournal,
    posting::PostingInput,
    tx_template::{
        NewParamDefinition, NewTxTemplate, NewTxTemplateEntry, NewTxTemplateTransaction, ParamDataType, Params,
    },
};
use rust_decimal::Decimal;
use sqlx_of_peers::postgres::PgPoolOptions;
use std::sync::Arc;

const CODE: &str = "PAY";

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
        Self { ledger: Arc::new(ledger), journal, _jobs: jobs }
    }

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
        } else {
            let batch = (0..batch).map(|_| PostingInput::new(TransactionId::new(), CODE, self.params())).collect();
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
