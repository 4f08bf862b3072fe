from django.http import HttpRequest, HttpResponse
def chart(request: HttpRequest, key: str = "") -> HttpResponse:
    return HttpResponse("soon")
