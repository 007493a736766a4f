//! What every handler of the control interface can reach.

use std::collections::HashMap;
use std::io;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::door::Door;
use super::entrance::Entrance;
use super::fault::Fault;
use super::faults::FaultBook;
use super::known_secrets::KnownSecrets;
use super::mint::Mint;
use super::requests::RequestLog;
use super::route::Route;
use super::steered_clock::SteeredClock;
use super::waiting::Waiting;
use super::waste::Waste;
use crate::clock::Hand;
use crate::config::catalog::Catalog;
use crate::config::file;
use crate::config::settings::Settings;
use crate::crypto::sealing::SealingKeys;
use crate::domain::client::ClientStatus;
use crate::domain::identifier::ClientId;
use crate::domain::issuer::Issuer;
use crate::domain::known_client::KnownClient;
use crate::domain::secret_format::Secret;
use crate::http::layers::host::bare;
use crate::operations::Grantd;
use crate::operations::restore::Stock;
use crate::server::replica::Replica;
use crate::server::shutdown::Shutdown;
use crate::store::error::StoreError;

/// With so many names an unknown one is compared.
const MOST_NEIGHBOURS: i64 = 20_000;

/// The control interface of one `grantd dev`; clones are the same one.
#[derive(Clone)]
pub(super) struct Control(Arc<Shared>);

/// What `grantd dev` knows besides its replica.
pub struct World {
    /// Moves the clock of the replica and of its store, which is one.
    pub hand: Hand,
    /// What seals the signing keys.
    pub sealing: SealingKeys,
    /// What was loaded at the start, with all that was made for it.
    pub catalog: Catalog,
    /// What the clients of `catalog` prove themselves with.
    pub held: Vec<(ClientId, Held)>,
    /// What `POST /_test/reset` puts everything back to, where the database is new. Else it is taken before the first
    /// change: no start waits for the clients of an earlier run.
    pub stock: Option<Stock>,
    /// The certificate of the CA of grantd's own certificates.
    pub ca: PathBuf,
    /// The private key of the CA whose client certificates are accepted, as PEM; `None` where that is somebody else's.
    pub client_ca_key: Option<Text>,
    /// When nobody waits any more.
    pub shutdown: Shutdown,
}

/// What a client proves itself with, in clear: `grantd dev` is for tests.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Its secret.
    pub secret: Option<Secret>,
    /// Its private key, a JWK.
    pub private_jwk: Option<Text>,
    /// Its certificate and the private key of that, as PEM.
    pub certificate: Option<(Text, Text)>,
    /// A line for a shell that gets a token.
    pub curl: Option<String>,
}

/// A text that need not be in memory.
#[derive(Clone)]
pub enum Text {
    /// It is the whole of a small file.
    File(PathBuf),
    /// It is this.
    Here(Zeroizing<String>),
}

/// The state itself.
pub(super) struct Shared {
    grantd: Arc<Grantd>,
    settings: Arc<Settings>,
    url: Issuer,
    door: Door,
    /// What there is to ask.
    routes: Vec<Route>,
    clock: SteeredClock,
    world: World,
    held: Mutex<HashMap<ClientId, Held>>,
    held_at_start: HashMap<ClientId, Held>,
    secrets_at_start: KnownSecrets,
    /// `None` in it: what is there is too much to keep.
    stock: OnceCell<Option<Stock>>,
    /// Held while clients, audiences or keys are changed, so that a change sees what it made itself.
    changing: tokio::sync::Mutex<()>,
    mint: Mint,
    secrets: KnownSecrets,
    faults: FaultBook,
    requests: RequestLog,
    waste: Waste,
    waiting: Arc<Waiting>,
}

impl Control {
    /// Steers `replica`, for those who come in by `entrance`.
    ///
    /// # Errors
    /// The entrance has no address.
    pub(super) fn new(
        replica: &Replica,
        (entrance, routes): (&Entrance, Vec<Route>),
        mut world: World,
    ) -> io::Result<Self> {
        let held: HashMap<_, _> = std::mem::take(&mut world.held).into_iter().collect();
        let stock = world.stock.take();
        let secrets = KnownSecrets::default();
        secrets.add_all(&world.catalog);
        Ok(Self(Arc::new(Shared {
            grantd: Arc::clone(&replica.grantd),
            settings: Arc::clone(&replica.settings),
            url: entrance.url()?,
            door: Door {
                is_loopback: entrance.is_loopback()?,
                known_as: entrance.known_as.as_ref().map(|it| bare(it.host())),
            },
            routes,
            clock: SteeredClock::new(world.hand.clone(), Arc::clone(&replica.grantd)),
            waiting: Arc::new(Waiting::new(world.shutdown.clone())),
            world,
            held: Mutex::new(held.clone()),
            held_at_start: held,
            secrets_at_start: secrets.copied(),
            stock: OnceCell::new_with(stock.map(Some)),
            changing: tokio::sync::Mutex::default(),
            mint: Mint::default(),
            secrets,
            faults: FaultBook::default(),
            requests: RequestLog::default(),
            waste: Waste::default(),
        })))
    }
}

impl Deref for Control {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    /// The running replica.
    pub(super) const fn grantd(&self) -> &Arc<Grantd> {
        &self.grantd
    }

    /// Its settings.
    pub(super) const fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Where the interface is reached, without a slash at the end.
    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    pub(super) const fn door(&self) -> &Door {
        &self.door
    }

    /// What there is to ask.
    pub(super) fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Its clock.
    pub(super) const fn clock(&self) -> &SteeredClock {
        &self.clock
    }

    /// What the replica was started with.
    pub(super) const fn world(&self) -> &World {
        &self.world
    }

    /// What makes tokens at will.
    pub(super) const fn mint(&self) -> &Mint {
        &self.mint
    }

    /// What a client proves itself with, where that is known.
    pub(super) fn held(&self, client: &ClientId) -> Option<Held> {
        self.held.lock().get(client).cloned()
    }

    /// Keeps what a client proves itself with, and finds its secret from now on wherever somebody puts it.
    pub(super) fn hold(&self, client: &ClientId, held: Held) {
        if let Some(secret) = &held.secret {
            self.secrets.add(secret);
        }
        self.held.lock().insert(client.clone(), held);
    }

    /// Forgets what those clients prove themselves with that are none of `kept`.
    pub(super) fn hold_only(&self, kept: impl Fn(&ClientId) -> bool) {
        self.held.lock().retain(|client, _| kept(client));
    }

    /// Holds what it did at the start, and knows the secrets of then, no more.
    pub(super) fn hold_as_at_the_start(&self) {
        self.held.lock().clone_from(&self.held_at_start);
        self.secrets.go_back_to(&self.secrets_at_start);
    }

    /// Waits until nobody else changes clients, audiences or keys, and until a reset knows what there is to put back.
    ///
    /// # Errors
    /// 503.
    pub(super) async fn alone(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, Fault> {
        let alone = self.changing.lock().await;
        self.stock().await?;
        Ok(alone)
    }

    /// What a reset puts back; `None` where that is too much to keep.
    ///
    /// # Errors
    /// 503.
    pub(super) async fn stock(&self) -> Result<Option<&Stock>, Fault> {
        let take = || Stock::take(self.grantd.store());
        Ok(self.stock.get_or_try_init(take).await?.as_ref())
    }

    /// Hears of what was written to the database.
    ///
    /// # Errors
    /// 503.
    pub(super) async fn follow(&self) -> Result<(), Fault> {
        Ok(self.grantd.follow_feed().await?)
    }

    /// The secrets that are known in clear.
    pub(super) const fn secrets(&self) -> &KnownSecrets {
        &self.secrets
    }

    /// What goes wrong on purpose.
    pub(super) const fn faults(&self) -> &FaultBook {
        &self.faults
    }

    /// What was asked.
    pub(super) const fn requests(&self) -> &RequestLog {
        &self.requests
    }

    /// Who caches.
    pub(super) const fn waste(&self) -> &Waste {
        &self.waste
    }

    /// Who waits.
    pub(super) const fn waiting(&self) -> &Arc<Waiting> {
        &self.waiting
    }

    /// The client of this name, enabled or not, as it stands in the database: a command may have changed it just now.
    ///
    /// # Errors
    /// 404 with the nearest name, or 503.
    pub(super) async fn client(&self, name: &str) -> Result<Arc<KnownClient>, Fault> {
        let unavailable = |error: StoreError| Fault::unavailable(&error);
        let store = self.grantd.store();
        if let Ok(id) = ClientId::parse(name) {
            let loaded = store.load_client(&id).await.map_err(unavailable)?;
            let lives = |it: &KnownClient| it.client.status != ClientStatus::Deleted;
            if let Some(known) = loaded.value.filter(lives) {
                return Ok(Arc::new(known));
            }
        }
        let all = store.client_ids_by_length((0, usize::MAX), MOST_NEIGHBOURS);
        let all = all.await.map_err(unavailable)?;
        let known = all.iter().map(String::as_str);
        Err(Fault::unknown("client", name, known).at("client_id"))
    }
}

impl Text {
    /// The text; `None` where its file cannot be read any more.
    pub(super) fn read(&self) -> Option<String> {
        match self {
            Self::File(path) => file::text(path, file::SMALL).ok(),
            Self::Here(text) => Some(text.as_str().to_owned()),
        }
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Here(_) => f.write_str("[hidden]"),
        }
    }
}
