//! Why a request was refused: one variant per fault, each with its error code, and with what was expected
//! and what came. What a client is told is constant; what an operator is told never holds secret material.

mod client_fault;
mod exchange_fault;
mod grant_fault;
mod request_fault;

pub use client_fault::ClientFault;
pub use exchange_fault::ExchangeFault;
pub use grant_fault::{GrantFault, TargetRefused};
pub use request_fault::RequestFault;

use super::budget_fault::BudgetFault;
use super::dpop_fault::DpopFault;
use super::explanation::{ErrorCode, Explanation};

/// One fault of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request as HTTP.
    Request(RequestFault),
    /// The client's proof of itself.
    Client(ClientFault),
    /// The proof of possession of a key, RFC 9449.
    Dpop(DpopFault),
    /// What the client asked for.
    Grant(GrantFault),
    /// A budget that is spent.
    Budget(BudgetFault),
}

impl Refusal {
    /// What client and operator are told of it.
    #[must_use]
    pub fn explain(&self) -> Explanation<'_> {
        match self {
            Self::Request(fault) => fault.explain(),
            Self::Client(fault) => Explanation {
                error: ErrorCode::InvalidClient,
                description: "client authentication failed",
                finding: fault.explain(),
            },
            Self::Dpop(fault) => fault.explain(),
            Self::Grant(fault) => fault.explain(),
            Self::Budget(fault) => fault.explain(),
        }
    }
}

macro_rules! into_refusal {
    ($($fault:ident => $variant:ident),+) => {$(
        impl From<$fault> for Refusal {
            fn from(fault: $fault) -> Self {
                Self::$variant(fault)
            }
        }
    )+};
}

into_refusal!(RequestFault => Request, ClientFault => Client, DpopFault => Dpop, GrantFault => Grant, BudgetFault => Budget);

impl From<ExchangeFault> for Refusal {
    fn from(fault: ExchangeFault) -> Self {
        GrantFault::from(fault).into()
    }
}
