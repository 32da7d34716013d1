"""Does with boto3 what a program does with it: clients, resources, paginators, waiters.

argv: the endpoint, the url of a queue that nobody reads, the name of a table with a stream. Prints what came of each step, as JSON.
"""

import json
import sys
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

endpoint, queue_url, streamed_table = sys.argv[1:]
session = boto3.Session("operator", "secret", region_name="us-east-1")
steps = {}


def client(service):
    return session.client(service, endpoint_url=endpoint)


def refusal(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]
    return None


def use_sqs():
    sqs = client("sqs")
    attributes = {"kind": {"DataType": "String", "StringValue": "test"}}
    sqs.send_message(QueueUrl=queue_url, MessageBody="one", MessageAttributes=attributes)
    entries = [{"Id": str(number), "MessageBody": f"batch {number}"} for number in range(3)]
    steps["batch sent"] = len(sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)["Successful"])
    received = []
    while len(received) < 4:
        answer = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=5, MessageAttributeNames=["All"]
        )
        received += answer["Messages"]
    steps["received"] = sorted(message["Body"] for message in received)
    steps["attributes"] = [m["MessageAttributes"] for m in received if m["Body"] == "one"]
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=received[0]["ReceiptHandle"])
    handles = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(received[1:])]
    steps["batch deleted"] = len(sqs.delete_message_batch(QueueUrl=queue_url, Entries=handles)["Successful"])
    steps["nothing received"] = "Messages" in sqs.receive_message(QueueUrl=queue_url)
    queues = [url for page in sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 2}) for url in page["QueueUrls"]]
    steps["queues, by pages"] = [len(queues) > 2, queue_url in queues]
    resource = session.resource("sqs", endpoint_url=endpoint).Queue(queue_url)
    resource.send_message(MessageBody="by a resource")
    messages = resource.receive_messages(WaitTimeSeconds=5)
    steps["received by a resource"] = [message.body for message in messages]
    messages[0].delete()
    steps["bad receipt"] = refusal(lambda: sqs.delete_message(QueueUrl=queue_url, ReceiptHandle="garbage"))
    steps["no such queue"] = refusal(lambda: sqs.get_queue_url(QueueName="none-such"))


def use_dynamodb():
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="Readings",
        AttributeDefinitions=[
            {"AttributeName": "sensor", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "sensor", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.get_waiter("table_exists").wait(TableName="Readings", WaiterConfig={"Delay": 1, "MaxAttempts": 5})
    table = session.resource("dynamodb", endpoint_url=endpoint).Table("Readings")
    first = {"sensor": "a", "at": 0, "value": Decimal("1.5"), "tags": {"x", "y"}, "raw": b"\x00\xff"}
    table.put_item(Item=first)
    got = table.get_item(Key={"sensor": "a", "at": 0}, ConsistentRead=True)["Item"]
    steps["got"] = {**got, "value": str(got["value"]), "at": int(got["at"]), "tags": sorted(got["tags"]), "raw": got["raw"].value.hex()}
    with table.batch_writer() as batch:
        for number in range(1, 60):
            batch.put_item(Item={"sensor": "a", "at": number, "value": number})
    condition = Key("sensor").eq("a") & Key("at").between(10, 19)
    answer = table.query(KeyConditionExpression=condition, FilterExpression=Attr("value").gte(15))
    steps["queried"] = [answer["Count"], answer["ScannedCount"]]
    pages = list(dynamodb.get_paginator("scan").paginate(TableName="Readings", PaginationConfig={"PageSize": 25}))
    steps["scanned, by pages"] = [[page["Count"] for page in pages], sum(len(page["Items"]) for page in pages)]
    steps["condition"] = refusal(lambda: table.put_item(Item=first, ConditionExpression=Attr("sensor").not_exists()))
    updated = table.update_item(
        Key={"sensor": "a", "at": 0},
        UpdateExpression="ADD readings :one",
        ExpressionAttributeValues={":one": 1},
        ReturnValues="UPDATED_NEW",
    )
    steps["updated"] = int(updated["Attributes"]["readings"])
    put = {"Put": {"TableName": "Readings", "Item": {"sensor": {"S": "b"}, "at": {"N": "1"}}}}
    steps["transaction"] = refusal(lambda: dynamodb.transact_write_items(TransactItems=[put]))
    steps["no such table"] = refusal(lambda: dynamodb.describe_table(TableName="none-such"))
    table.delete()
    dynamodb.get_waiter("table_not_exists").wait(TableName="Readings", WaiterConfig={"Delay": 1, "MaxAttempts": 5})
    tables = [n for page in dynamodb.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 3}) for n in page["TableNames"]]
    steps["tables, by pages"] = [len(tables) > 3, streamed_table in tables, "Readings" in tables]


def use_streams():
    streams = client("dynamodbstreams")
    [stream] = streams.list_streams(TableName=streamed_table)["Streams"]
    arn = stream["StreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    steps["first record"] = [records[0]["eventName"], sorted(records[0]["dynamodb"]["Keys"])]


use_sqs()
use_dynamodb()
use_streams()
steps["caller"] = client("sts").get_caller_identity()["Arn"]
steps["unserved"] = [
    refusal(lambda: client("lambda").list_functions()),
    refusal(lambda: client("cloudwatch").describe_alarms()),
    refusal(lambda: client("s3").list_buckets()),
    refusal(lambda: client("iam").list_roles()),
    refusal(lambda: client("route53").list_hosted_zones()),
    refusal(lambda: client("logs").describe_log_groups()),
]
print(json.dumps(steps))
