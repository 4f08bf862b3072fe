"""One settings file; what differs between installations comes from the environment.

SECRET_KEY          required (demonstration mode makes and keeps its own, demo.secret)
AUDIT_KEY           required; seals the audit trail (demonstration mode: demo.audit-key)
AUDIT_HEAD_FILE     where seal_audit writes the trail's head; without it only to the log
AUDIT_YEARS         how long audit rows are kept at least; default and least 6
MEDIA_ROOT          the folder of stored files; may be absent; default media
DATABASE_URL        postgres://… or sqlite:////FILE; without it canvas_admin.sqlite3
PROCRASTINATE       "1" where Procrastinate carries protocols' work (docs/scaling.md);
                    on PostgreSQL alone
ALLOWED_HOSTS       comma-separated host names; default: the loopback names
CLINIC_NAME         shown in the page header
PAPER_SIZE          "letter" or "a4", for what is printed; default letter
CLINIC_TIME_ZONE    the clinic's time zone, an IANA name; default UTC
INSECURE_HTTP       "1" only where no TLS proxy stands in front (demonstration, tests)
TRUSTED_PROXIES     how many proxies of our own stand in front; default 0
ELIGIBILITY_PAYER   dotted path of the class that asks payers; default: a simulation
ELIGIBILITY_TIMEOUT seconds after which a payer has not answered; default 20
EMAIL_URL           smtp://user:password@host:port; without it no mail is sent
CANVAS_ADMIN_DEMO   "1" is demonstration mode: demo.sqlite3, whatever DATABASE_URL says
"""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from canvas_admin.management import demo_files

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = False
DEMO = os.environ.get("CANVAS_ADMIN_DEMO") == "1"
INSECURE_HTTP = DEMO or os.environ.get("INSECURE_HTTP") == "1"

SECRET_KEY = (
    demo_files.kept_secret(BASE_DIR / "demo.secret")
    if DEMO
    else os.environ.get("SECRET_KEY", "")
)
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Make one with "
        "python3 -c 'import secrets; print(secrets.token_urlsafe(50))' "
        "and keep it in the environment of every process."
    )

# The audit trail -------------------------------------------------------------------

AUDIT_KEY = (
    demo_files.kept_secret(BASE_DIR / "demo.audit-key")
    if DEMO
    else os.environ.get("AUDIT_KEY", "")
)
if len(AUDIT_KEY) < 32 or AUDIT_KEY == SECRET_KEY:
    raise ImproperlyConfigured(
        "AUDIT_KEY is not set, is shorter than 32 characters, or is SECRET_KEY again. "
        "It seals the audit trail. Make one with "
        "python3 -c 'import secrets; print(secrets.token_urlsafe(50))', keep it in the "
        "environment of every process, and a copy away from the database: without it "
        "the trail cannot be proven."
    )
AUDIT_HEAD_FILE = (
    str(BASE_DIR / "demo.audit-head") if DEMO else os.environ.get("AUDIT_HEAD_FILE", "")
)
AUDIT_YEARS = int(os.environ.get("AUDIT_YEARS", "6"))
if AUDIT_YEARS < 6:
    raise ImproperlyConfigured(
        "AUDIT_YEARS is less than 6: audit rows are kept six years at least."
    )

# The site --------------------------------------------------------------------------

ALLOWED_HOSTS = [
    host.strip()
    for host in os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
]
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts; * is refused.")
CSRF_TRUSTED_ORIGINS = [
    f"https://{host}" for host in ALLOWED_HOSTS if not host.startswith("[")
]
CLINIC_NAME = os.environ.get("CLINIC_NAME", "Canvas Admin")
PAPER_SIZE = os.environ.get("PAPER_SIZE", "letter").lower()
if PAPER_SIZE not in ("letter", "a4"):
    raise ImproperlyConfigured("PAPER_SIZE is neither letter nor a4.")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.forms",
    "django.contrib.staticfiles",
    "canvas_admin.apps.ClinicAdminConfig",
    "guardian",
    "rest_framework",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_htmx",
    "oauth2_provider",
    "canvas_admin.audit",
    "canvas_admin.events",
    "staffing",
    "patients",
    "tasks",
    "canvas_admin.protocols",
    "canvas_admin.apps.CanvasAdminConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "canvas_admin.audit.proxies.BehindProxies",
    "canvas_admin.records.clock.OneNowPerRequest",
    "canvas_admin.audit.middleware.AuditMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "staffing.sessions.SessionLimits",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "canvas_admin.urls"
WSGI_APPLICATION = "canvas_admin.wsgi.application"

# Widgets are looked for among our templates, too.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "canvas_admin.site.clinic",
                "patients.areas.navigation",
            ],
        },
    },
]

# Data ------------------------------------------------------------------------------

SQLITE_FILE = BASE_DIR / ("demo.sqlite3" if DEMO else "canvas_admin.sqlite3")
DATABASE_URL = "" if DEMO else os.environ.get("DATABASE_URL", "")
_database = dj_database_url.parse(
    DATABASE_URL or f"sqlite:///{quote(str(SQLITE_FILE))}"
)
if _database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE makes writers wait for the timeout instead of failing at the upgrade of
    # a read lock; WAL lets readers go on meanwhile. Pages are read from the memory in
    # which the system keeps the file; with larger ones an index is less deep, which a new
    # database alone can have. Every 80 MB of changes go into the file, and not every 4: one
    # request in twenty waited 30 ms for that.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; "
        "PRAGMA synchronous=NORMAL; PRAGMA mmap_size=2147418112; "
        "PRAGMA wal_autocheckpoint=5000;",
    }
else:
    # Compiling a plan costs more than the short queries of a page gain by it.
    _database["OPTIONS"] = {"options": "-c jit=off", **_database.get("OPTIONS", {})}
_database["CONN_MAX_AGE"] = 60
DATABASES = {"default": _database}
PROCRASTINATE = not DEMO and os.environ.get("PROCRASTINATE") == "1"
if PROCRASTINATE:
    if not _database["ENGINE"].endswith("postgresql"):
        raise ImproperlyConfigured(
            "PROCRASTINATE needs PostgreSQL: see docs/scaling.md."
        )
    INSTALLED_APPS.insert(0, "procrastinate.contrib.django")
    # By itself it would import a module of this name from every app.
    PROCRASTINATE_AUTODISCOVER_MODULE_NAME = None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Stored files, which nothing serves from here; the folder may be absent.
MEDIA_ROOT = str(
    BASE_DIR / "demo.media"
    if DEMO
    else os.environ.get("MEDIA_ROOT", BASE_DIR / "media")
)
# Nobody on the machine but the site's own account reads them.
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

# Payers ----------------------------------------------------------------------------

ELIGIBILITY_PAYER = os.environ.get(
    "ELIGIBILITY_PAYER", "patients.eligibility.simulated.SimulatedPayer"
)
ELIGIBILITY_TIMEOUT = float(os.environ.get("ELIGIBILITY_TIMEOUT", "20"))

# People ----------------------------------------------------------------------------

AUTH_USER_MODEL = "staffing.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "staffing.backends.StaffBackend",
    "patients.backends.PatientBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation."
        "UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "email")},
    },
]
PASSWORD_RESET_TIMEOUT = timedelta(hours=24).total_seconds()

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "staffing.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "staffing.accounts.LinkTokens"  # noqa: S105
ACCOUNT_FORMS = {
    "login": "staffing.sign_in.SignIn",
    "reset_password": "staffing.sign_in.ForgottenPassword",
    "user_token": "staffing.sign_in.LinkForm",
}
# Failed sign-ins are counted by axes and codes of the second step by our forms, in the
# database, for all processes together. A clinic signs in from one address.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
MFA_ADAPTER = "staffing.second_step.SecondStep"
MFA_FORMS = {
    "authenticate": "staffing.second_step.CodeForm",
    "reauthenticate": "staffing.second_step.CodeAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = CLINIC_NAME
# A code of half a minute ago, or of a clock that is ahead, is still good.
MFA_TOTP_TOLERANCE = 1
USERSESSIONS_TRACK_ACTIVITY = False

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
# The name under which allauth hands the typed user name on, whatever its form calls it.
AXES_USERNAME_FORM_FIELD = "username"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_SENSITIVE_PARAMETERS = ["login", "password", "next", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "staffing.accounts.locked_out"

SESSION_ENGINE = "staffing.session_store"
SESSION_IDLE = timedelta(minutes=15)
SESSION_LENGTH = timedelta(hours=12)
# How long a row of the session table is good for after its last activity: rows that
# are overdue leave the list of sessions by themselves.
SESSION_COOKIE_AGE = int(SESSION_IDLE.total_seconds())
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not INSECURE_HTTP
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "canvas_admin.site.csrf_failure"

# The rule about patients is our own; guardian's tables carry the grants (DESIGN 4).
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_RAISE_403 = False
# guardian.W001 asks for guardian's backend; patients.backends answers instead, through
# the one access rule. guardian.W002 concerns its anonymous user, which we do without.
SILENCED_SYSTEM_CHECKS = ["guardian.W001", "guardian.W002"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["staffing.tokens.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}

# Programs --------------------------------------------------------------------------

OAUTH2_PROVIDER_APPLICATION_MODEL = "staffing.Application"
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "staffing.oauth.Clients",
    "SCOPES_BACKEND_CLASS": "staffing.oauth.ScopesOnOffer",
    "CLIENT_SECRET_GENERATOR_LENGTH": 64,
    "DEFAULT_SCOPES": [],
    "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    # After the consent; each refresh token is good once, and tells when it is used again.
    "REFRESH_TOKEN_EXPIRE_SECONDS": 12 * 60 * 60,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "PKCE_REQUIRED": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "ALLOW_URI_WILDCARDS": False,
    **{
        f"COMPLIANT_BCP_RFC9700_{rule}": True
        for rule in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REFRESH_TOKEN",
            "REDIRECT_URI_SCHEME",
            "REDIRECT_URI_MATCHING",
            "PKCE_REQUIRED",
        )
    },
}

# The browser -----------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = not INSECURE_HTTP
SECURE_HSTS_SECONDS = 0 if INSECURE_HTTP else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not INSECURE_HTTP
if not INSECURE_HTTP:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
TRUSTED_PROXIES = int(os.environ.get("TRUSTED_PROXIES", "0"))
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    },
}

# Language, time, mail, log ---------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = True
FORMAT_MODULE_PATH = ["canvas_admin.formats"]
USE_TZ = True
# The demo clinic keeps the time of one of its offices.
TIME_ZONE = os.environ.get("CLINIC_TIME_ZONE", "America/New_York" if DEMO else "UTC")

if email_url := os.environ.get("EMAIL_URL", ""):
    _mail = urlsplit(email_url)
    EMAIL_HOST, EMAIL_PORT = _mail.hostname, _mail.port or 587
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_TLS = True
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM", "no-reply@localhost")

# No query string and no body is ever logged: Django logs the path alone, and the
# server's own access log stays off.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "canvas_admin.audit.log.formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # Refusals are in the audit trail; a log line would carry the patient's key.
        "django.request": {"level": "ERROR"},
        # At DEBUG it writes out what a template was given: whole charts.
        "django.template": {"level": "INFO"},
        # It names the parameter of an edited address.
        "django.security.DisallowedModelAdminLookup": {"level": "CRITICAL"},
        "canvas_admin": {"level": "INFO"},
        "axes": {"level": "ERROR"},
    },
}
