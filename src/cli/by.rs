//! Who runs a command, as the audit log names it.

use clap::Args;

use crate::config::catalog::public_material;
use crate::operations::actor::Actor;

/// Who runs a command that changes something.
#[derive(Args, Debug)]
pub(super) struct By {
    /// Who does this, for the audit log; command:USER@HOST if omitted
    #[arg(
        long,
        value_name = "NAME",
        env = "GRANTD_ACTOR",
        hide_env_values = true,
        value_parser = public_material::label
    )]
    actor: Option<String>,
}

/// Who runs a command that stops something, and why.
#[derive(Args, Debug)]
pub(super) struct ByWithReason {
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT", value_parser = public_material::label)]
    reason: Option<String>,
    #[command(flatten)]
    by: By,
}

impl By {
    pub(super) fn actor(&self) -> Actor {
        Actor::named(&self.actor.clone().unwrap_or_else(of_this_process))
    }
}

impl ByWithReason {
    pub(super) fn actor(&self) -> Actor {
        Actor {
            reason: self.reason.clone(),
            ..self.by.actor()
        }
    }
}

/// `command:USER@HOST`. The user is whom the environment names, where it does; else the number of the user.
fn of_this_process() -> String {
    let variable = |name| std::env::var(name).ok().filter(|it| !it.is_empty());
    let user = variable("USER").or_else(|| variable("LOGNAME"));
    let user = user.unwrap_or_else(|| rustix::process::getuid().as_raw().to_string());
    let system = rustix::system::uname();
    let name = format!("command:{user}@{}", system.nodename().to_string_lossy());
    let name: String = name.chars().filter(|it| !it.is_control()).collect();
    public_material::label(&name).unwrap_or_else(|_| "command".to_owned())
}
