//! Asks before what cannot be undone: on a terminal; a script says `--yes`.

use std::io::{self, BufRead, IsTerminal as _, Write};

use anyhow::bail;
use clap::Args;

/// Whether to ask.
#[derive(Args, Debug)]
pub(super) struct Confirmation {
    /// Do not ask; required where there is no terminal to ask on
    #[arg(long)]
    yes: bool,
}

impl Confirmation {
    /// Says what will happen, and asks the operator whether to go on.
    ///
    /// # Errors
    /// The operator says no, or there is nobody to ask.
    pub(super) fn ask(&self, consequence: &str) -> anyhow::Result<()> {
        let input = io::stdin();
        let is_terminal = input.is_terminal();
        self.ask_of(
            (&mut input.lock(), is_terminal),
            &mut io::stderr().lock(),
            consequence,
        )
    }

    fn ask_of(
        &self,
        (input, is_terminal): (&mut impl BufRead, bool),
        output: &mut impl Write,
        consequence: &str,
    ) -> anyhow::Result<()> {
        writeln!(output, "{consequence}")?;
        if self.yes {
            return Ok(());
        }
        if !is_terminal {
            bail!("there is no terminal to ask on, so nothing was done: add --yes");
        }
        write!(output, "Go on? [y/N] ")?;
        output.flush()?;
        let mut answer = String::new();
        input.read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            Ok(())
        } else {
            bail!("nothing was done")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(yes: bool, is_terminal: bool, answer: &str) -> (bool, String) {
        let mut output = Vec::new();
        let asked = Confirmation { yes };
        let done = asked.ask_of(
            (&mut answer.as_bytes(), is_terminal),
            &mut output,
            "It ends.",
        );
        (done.is_ok(), String::from_utf8(output).unwrap())
    }

    #[test]
    fn only_a_yes_goes_on_and_the_consequence_is_said_in_any_case() {
        for (answer, goes_on) in [
            ("y\n", true),
            ("yes\n", true),
            ("n\n", false),
            ("\n", false),
            ("", false),
        ] {
            let (done, said) = asked(false, true, answer);
            assert_eq!(done, goes_on, "{answer:?}");
            assert_eq!(said, "It ends.\nGo on? [y/N] ");
        }
        assert_eq!(asked(true, false, ""), (true, "It ends.\n".to_owned()));
        assert_eq!(asked(false, false, "y\n"), (false, "It ends.\n".to_owned()));
    }
}
