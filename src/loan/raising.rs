//! How a loan is funded.

crate::pledge::raised_by_pledges!(
    Loan, AnyLoan;
    closed: Disbursing, Repaying, Late, Defaulted, Repaid, WrittenOff
);
