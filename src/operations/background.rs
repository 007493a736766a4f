//! The named background tasks. If one ends before shutdown, the process stops rather than serve without it.

use std::collections::HashMap;
use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;

use tokio::task::{Id, JoinError, JoinSet, spawn_blocking};

/// Tasks that are not started yet.
#[derive(Default)]
pub struct Background(Vec<(String, Task)>);

type Task = Pin<Box<dyn Future<Output = End> + Send>>;

/// Running tasks. Dropping it aborts them all.
#[derive(Debug, Default)]
pub struct Running {
    tasks: JoinSet<End>,
    names: HashMap<Id, String>,
}

/// How a task ended without a panic, with a sentence for the operator if it has one.
#[derive(Debug)]
pub struct End(Option<String>);

impl From<()> for End {
    fn from((): ()) -> Self {
        Self(None)
    }
}

impl From<String> for End {
    fn from(why: String) -> Self {
        Self(Some(why))
    }
}

impl Background {
    /// Adds a task.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<String>,
        task: impl Future<Output: Into<End>> + Send + 'static,
    ) -> Self {
        let task = Box::pin(async move { task.await.into() });
        self.0.push((name.into(), task));
        self
    }

    /// Starts them all.
    #[must_use]
    pub fn start(self) -> Running {
        let mut running = Running::default();
        for (name, task) in self.0 {
            let id = running.tasks.spawn(task).id();
            running.names.insert(id, name);
        }
        running
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Running {
    /// Waits until a task ends. Returns why the process must stop, as one line for the operator.
    pub async fn failed(&mut self) -> String {
        match self.next().await {
            Some((name, ended)) => why(&name, ended),
            None => std::future::pending().await,
        }
    }

    /// Waits until all tasks with these names, which were told to stop, have ended.
    pub async fn finish(&mut self, names: &[String]) {
        while self.names.values().any(|name| names.contains(name)) {
            if let Some((name, Err(error))) = self.next().await {
                tracing::error!("{}", why(&name, Err(error)));
            }
        }
    }

    async fn next(&mut self) -> Option<(String, Result<End, JoinError>)> {
        let (id, ended) = match self.tasks.join_next_with_id().await? {
            Ok((id, end)) => (id, Ok(end)),
            Err(error) => (error.id(), Err(error)),
        };
        Some((self.names.remove(&id).unwrap_or_default(), ended))
    }
}

/// Runs `work` on a blocking thread. A panic in it is passed on to the caller.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work)
        .await
        .map_err(JoinError::try_into_panic)
    {
        Ok(done) => done,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime is shutting down, so nobody waits for the result.
        Err(Err(_)) => std::future::pending().await,
    }
}

fn why(name: &str, ended: Result<End, JoinError>) -> String {
    match ended {
        Ok(End(Some(why))) => why,
        Ok(End(None)) => {
            format!(
                "the background task \"{name}\" ended early: start grantd again and report this"
            )
        }
        Err(_) => format!(
            "the background task \"{name}\" panicked: start grantd again and report the place that the log names"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_is_named() {
        let forever = std::future::pending::<()>;
        let failing = |task: Background| async move { task.start().failed().await };
        let ended = Background::default()
            .with("a", forever())
            .with("b", async {});
        assert!(
            failing(ended)
                .await
                .starts_with("the background task \"b\" ended early: ")
        );
        let told = Background::default().with("a", async { "no database".to_owned() });
        assert_eq!(failing(told).await, "no database");
        let panicked = async { assert_eq!(std::hint::black_box(1), 2) };
        let panicked = Background::default()
            .with("a", panicked)
            .with("b", forever());
        assert!(
            failing(panicked)
                .await
                .starts_with("the background task \"a\" panicked: ")
        );
    }
}
