"""Who and what is in the demo clinic; `load_demo` makes it."""

from dataclasses import dataclass
from pathlib import Path

BUNDLES = Path(__file__).resolve().parent.parent / "demo"

NORTH, SOUTH, CAMPAIGN = "North clinic", "South clinic", "Flu campaign"


@dataclass(frozen=True)
class Person:
    """Somebody to sign in as: what the sentence says is what this person may do.

    `groups` are given by hand, beside what the role gives; `patient_groups` by name.
    """

    username: str
    title: str
    sentence: str
    first_name: str
    last_name: str
    role: str
    groups: tuple[str, ...] = ()
    patient_groups: tuple[str, ...] = ()
    npi: str = ""
    location: str = ""
    active: bool = True


CAST = (
    Person(
        "nora",
        "Nurse",
        "Opens the charts of the North clinic's patients, such as Ada Alvarez.",
        first_name="Nora",
        last_name="Vega",
        role="RN",
        groups=("Data integration access",),
        patient_groups=(NORTH,),
        npi="1245319599",
        location="North office",
    ),
    Person(
        "sam",
        "Physician",
        "Opens the charts of the South clinic's patients, such as Ben Brandt.",
        first_name="Sam",
        last_name="Okafor",
        role="MD",
        patient_groups=(SOUTH,),
        npi="1234567893",
        location="South office",
    ),
    Person(
        "olga",
        "Front desk",
        "Creates patients and opens the North clinic's profiles, but no chart.",
        first_name="Olga",
        last_name="Petrova",
        role="FD",
        patient_groups=(NORTH,),
        location="North office",
    ),
    Person(
        "max",
        "Office manager",
        "Opens the chart of every patient, whatever the group.",
        first_name="Max",
        last_name="Lindqvist",
        role="OM",
        groups=(
            "All Patients",
            "Clinical write",
            "Data integration access",
            "Printing access",
        ),
        location="South office",
    ),
    Person(
        "ines",
        "Nurse who has left",
        "Is inactive: the password is right and still opens nothing.",
        first_name="Ines",
        last_name="Moreau",
        role="RN",
        patient_groups=(NORTH,),
        active=False,
    ),
    Person(
        "nil",
        "Trainee",
        "Holds no group yet, and so sees the own account page and nothing else.",
        first_name="Nil",
        last_name="Aydin",
        role="TR",
    ),
    Person(
        "ruth",
        "Administrator",
        "Decides who may do what, in the administration; opens no patient's chart.",
        first_name="Ruth",
        last_name="Feldman",
        role="AD",
        groups=("Staff Permissions", "Settings", "Integrations"),
        location="North office",
    ),
)

_CLINICAL = ("Clinical read", "Clinical write", "Profile read", "Tasking access")

# (internal code, name, domain, type, privilege level, default auth groups)
ROLES = (
    ("RN", "Nurse", "CLI", "LICENSED", 20, _CLINICAL),
    ("MD", "Physician", "CLI", "PROVIDER", 40, (*_CLINICAL, "Printing access")),
    (
        "FD",
        "Front desk",
        "ADM",
        "NON-LICENSED",
        0,
        (
            "Schedule write",
            "Profile read",
            "Profile write",
            "Patient create",
            "Document read",
            "Document write",
            "Printing access",
        ),
    ),
    (
        "OM",
        "Office manager",
        "ADM",
        "NON-LICENSED",
        0,
        (
            "Clinical read",
            "Profile read",
            "Profile write",
            "Revenue access",
            "Document read",
            "Tasking access",
        ),
    ),
    ("BH", "Behavioral health", "HYB", "LICENSED", 30, _CLINICAL),
    ("AD", "Administrator", "ADM", "NON-LICENSED", 0, ()),
    ("TR", "Trainee", "CLI", "NON-LICENSED", 0, ()),
)

# (name, time zone where it differs from the clinic's)
LOCATIONS = (("North office", "America/New_York"), ("South office", "America/Chicago"))


@dataclass(frozen=True)
class DemoTeam:
    """A team: its members by user name, its responsibilities, how to reach it."""

    name: str
    members: tuple[str, ...]
    responsibilities: tuple[str, ...]
    phone: str
    email: str


TEAMS = (
    DemoTeam(
        "Care coordination",
        ("nora", "sam"),
        (
            "COORDINATE_REFERRALS_FOR_PATIENT",
            "COMMUNICATE_DIAGNOSTIC_RESULTS_TO_PATIENT",
            "COLLECT_SPECIMENS_FROM_PATIENT",
            "COMPLETE_OPEN_LAB_ORDERS",
            "PROCESS_REFILL_REQUESTS",
            "PROCESS_CHANGE_REQUESTS",
        ),
        "555-0120",
        "coordination@example.com",
    ),
    DemoTeam(
        "Front office",
        ("olga", "max"),
        (
            "COLLECT_PATIENT_PAYMENTS",
            "REVIEW_COVERAGES",
            "SCHEDULE_LAB_VISITS_FOR_PATIENT",
            "POPULATION_HEALTH_CAMPAIGN_OUTREACH",
        ),
        "555-0130",
        "office@example.com",
    ),
)


@dataclass(frozen=True)
class Program:
    """A connected program; its service staff holds these groups. Nobody has its secret.

    With a `redirect`, where it sends people back to, it acts for whoever lets it.
    """

    name: str
    scopes: str = ""
    redirect: str = ""
    groups: tuple[str, ...] = ()
    patient_groups: tuple[str, ...] = ()


PROGRAMS = (
    Program(
        "Results portal",
        "system/Patient.rs system/DiagnosticReport.rs",
        groups=("Clinical read", "Profile read"),
        patient_groups=(NORTH,),
    ),
    Program(
        "Rounds on a tablet",
        "user/Patient.rs user/DiagnosticReport.rs user/Task.crus",
        redirect="https://rounds.example/back",
    ),
)

# The hand-made patients, by the record numbers in their bundles.
ADA, BEN, CYN = "D-1001", "D-1002", "D-1003"

EXCLUSION = "Works at the South clinic and asked to be seen elsewhere."

# Of these, three and a number make a password.
WORDS = """
acorn amber anchor apple apron arrow autumn badger bamboo banjo barley basket beacon
beaver bicycle birch blossom bottle bridge bronze bucket butter button cabin cactus
camera candle canoe canyon carpet castle cedar cellar cherry chimney cinnamon circus
clover cobalt coffee copper coral cotton cradle cricket crystal curtain cypress daisy
dolphin donkey dragon eagle ember falcon feather fennel fiddle flannel forest fossil
fountain galaxy garden garlic ginger glacier granite guitar hammer harbor hazel heron
honey island ivory jacket jasmine jigsaw juniper kettle kitten ladder lagoon lantern
lemon lilac linen lizard lobster magnet mango maple marble meadow melon mirror mitten
monsoon mosaic mustard napkin nectar needle nutmeg oasis olive orange orchid otter
oyster paddle panther paper parrot pebble pepper pigeon pillow planet plum pocket
poplar pumpkin puzzle quartz quilt rabbit radish raven ribbon river robin rocket saddle
saffron salmon sandal sapphire saucer shadow silver sparrow spider spinach squirrel
stable summer sunset swallow tangerine teapot thistle thunder tiger timber tomato
trumpet tulip tunnel turtle umbrella valley vanilla velvet violet violin walnut walrus
willow window winter yellow zebra
""".split()
