from django.http import HttpRequest, HttpResponse
def roster(request: HttpRequest, key: str = "") -> HttpResponse:
    return HttpResponse("soon")
