"""Options that hold secrets, by their names and by their looks, at any depth."""

from pathlib import Path

import pytest

from porcelain.settings.place import ConfigError, Place
from porcelain.settings.secrets import refuse_secret_options

PLACE = Place(Path("/p/acc.toml"), "remotes.origin.options", secretive=True)
SECRET = "hunter2SEKRET"


@pytest.mark.parametrize(
    ("scheme", "options", "key"),
    [
        ("s3", {"key": SECRET}, "key"),
        ("s3", {"secret": SECRET}, "secret"),
        ("s3", {"token": SECRET}, "token"),
        ("s3", {"password": SECRET}, "password"),
        ("s3", {"aws_access_key_id": SECRET}, "aws_access_key_id"),
        ("s3", {"client_kwargs": {"aws_secret_access_key": SECRET}}, "client_kwargs.aws_secret_access_key"),
        ("s3", {"client_kwargs": {"aws_session_token": SECRET}}, "client_kwargs.aws_session_token"),
        ("s3", {"s3_additional_kwargs": {"SSECustomerKey": SECRET}}, "s3_additional_kwargs.SSECustomerKey"),
        ("gs", {"token": SECRET}, "token"),
        ("gs", {"token": {"type": "service_account", "project_id": SECRET}}, "token"),
        ("gs", {"token": f'{{"id": "{SECRET}.json"}}'}, "token"),
        ("abfs", {"account_key": SECRET}, "account_key"),
        ("abfs", {"sas_token": SECRET}, "sas_token"),
        ("abfs", {"connection_string": SECRET}, "connection_string"),
        ("abfs", {"credential": SECRET}, "credential"),
        ("abfs", {"client_secret": SECRET}, "client_secret"),
        ("sftp", {"password": SECRET}, "password"),
        ("sftp", {"password": 1234}, "password"),
        ("sftp", {"passphrase": SECRET}, "passphrase"),
        ("sftp", {"pkey": SECRET}, "pkey"),
        ("https", {"client_kwargs": {"auth": ["anna", SECRET]}}, "client_kwargs.auth"),
        ("https", {"headers": {"Authorization": SECRET}}, "headers.Authorization"),
        ("https", {"headers": {"X-Api-Key": SECRET}}, "headers.X-Api-Key"),
        ("https", {"cookies": {"session": SECRET}}, "cookies"),
        ("odd", {"deep": [{"deeper": {"apiKey": SECRET}}]}, "deep.deeper.apiKey"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_option_with_the_name_of_a_secret_is_refused(scheme, options, key):
    with pytest.raises(ConfigError) as caught:
        refuse_secret_options(PLACE, options, scheme)
    assert str(caught.value).startswith(f"/p/acc.toml: 'remotes.origin.options.{key}' is a secret")
    assert SECRET not in f"{caught.value} {caught.value.hint}"
    assert caught.value.hint


@pytest.mark.parametrize(
    "value",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN PRIVATE KEY-----",
        "http://anna:pw@proxy:3128",
        ["a", ["https://host/?sig=abc"]],
        {"x": "DefaultEndpointsProtocol=https;AccountKey=abc"},
    ],
    ids=str,
)
def test_a_value_that_looks_like_a_secret_is_refused_whatever_its_name(value):
    with pytest.raises(ConfigError, match="looks like a secret"):
        refuse_secret_options(PLACE, {"harmless": value}, "s3")


@pytest.mark.parametrize(
    ("scheme", "options"),
    [
        (
            "s3",
            {"endpoint_url": "http://127.0.0.1:9000", "anon": True, "profile": "team", "max_concurrency": 20},
        ),
        ("s3", {"client_kwargs": {"region_name": "eu-north-1", "verify": "/etc/ssl/team.pem"}}),
        ("s3", {"config_kwargs": {"s3": {"addressing_style": "virtual"}, "retries": {"max_attempts": 3}}}),
        ("s3", {"s3_additional_kwargs": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/team"}}),
        ("gs", {"project": "team", "access": "read_only", "requester_pays": True}),
        ("gs", {"token": "anon"}),
        ("gs", {"token": "google_default"}),
        ("gs", {"token": "~/keys/team.json"}),
        ("abfs", {"account_name": "team", "anon": False, "client_id": "a-b", "tenant_id": "c-d"}),
        ("sftp", {"port": 2222, "username": "build", "key_filename": "/home/build/.ssh/acc"}),
        ("sftp", {"look_for_keys": False, "allow_agent": True, "gss_auth": True, "auth_timeout": 5}),
        ("https", {"client_kwargs": {"trust_env": True, "headers": {"User-Agent": "acc"}}}),
        ("odd", {"ports": [1, 2.5], "nothing": {}, "empty": ""}),
    ],
    ids=str,
)
def test_what_filesystems_are_told_beside_secrets_is_taken(scheme, options):
    refuse_secret_options(PLACE, options, scheme)
